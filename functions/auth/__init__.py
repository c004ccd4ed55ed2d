"""Functions of the accounts: signing in, people, API keys."""
