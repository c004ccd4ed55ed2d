"""Shapes of requests and answers about profiles, searches and leads."""
