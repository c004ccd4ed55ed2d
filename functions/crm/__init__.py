"""Functions of the sales pipeline."""
