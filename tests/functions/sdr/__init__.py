"""Outreach through the whole mesh, with the outside world simulated over real HTTP."""
