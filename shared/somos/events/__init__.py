"""The facts modules exchange, one file per module. They carry ids, never personal data."""
