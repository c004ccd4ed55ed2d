"""What the hunter decides, pure: queries, provenance, rubric, state machines, spreadsheets."""
