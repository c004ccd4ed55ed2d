"""Hunter: finds companies that fit an ideal customer profile and says why."""
