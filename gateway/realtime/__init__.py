"""The WebSocket hub: what the mesh announces reaches the people who may see it."""
