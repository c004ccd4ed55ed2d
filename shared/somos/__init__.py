"""Somos: the library that every function of the mesh shares."""
