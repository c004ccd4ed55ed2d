"""Shapes of outreach's requests and answers."""
