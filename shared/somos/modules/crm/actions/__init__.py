"""What the module writes: one file per resource."""
