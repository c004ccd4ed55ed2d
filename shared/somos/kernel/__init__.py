"""The words that every module shares. Imports nothing of ours."""
