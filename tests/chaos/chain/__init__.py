"""A chain of two steps with an outside: as small as a chain can be, for killing its processes."""
