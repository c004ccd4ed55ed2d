"""Relations: who is a client, talks to us, asked to be left alone or was written to lately. Told by events, kept by
keyed hashes alone."""
