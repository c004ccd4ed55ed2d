"""What we are to people and companies, learnt from what other modules state."""
