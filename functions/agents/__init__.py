"""Work of the agents that people wait for."""
