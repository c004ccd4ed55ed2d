"""Shapes of the requests and answers of the sales pipeline."""
