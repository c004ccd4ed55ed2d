"""Functions that exist to be measured: a chain of four steps over one lead, and a step that says when it began.

They write to the tables of `tables.sql`, which count an effect each time it happens.
"""
