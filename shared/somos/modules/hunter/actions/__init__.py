"""Writes of the hunter, one file per resource."""
