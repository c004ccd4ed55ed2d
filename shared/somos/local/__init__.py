"""The local stack: real engines from wheels, one supervisor, and the secrets they share."""
