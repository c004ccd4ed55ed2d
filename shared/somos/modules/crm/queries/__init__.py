"""What the pipeline asks of its tables; other modules ask nothing here yet."""
