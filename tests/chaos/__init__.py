"""Processes die at moments that a seed chooses; what must hold, holds."""
