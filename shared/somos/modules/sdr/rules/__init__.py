"""Pure rules of outreach: machines, guards, windows, caps, what an answer means. No database, no network."""
