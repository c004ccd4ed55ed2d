"""What tests stand on: real PostgreSQL and Valkey, the whole mesh in one process, a clock that is set."""
