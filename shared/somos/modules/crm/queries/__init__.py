"""What the pipeline asks of its tables."""
