"""Accounts of people, API keys, and signing in."""
