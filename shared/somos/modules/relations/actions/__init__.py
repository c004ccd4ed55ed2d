"""What is learnt from the facts of other modules."""
