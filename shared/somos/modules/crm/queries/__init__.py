"""What the pipeline asks of its tables; other modules ask `relations`."""
