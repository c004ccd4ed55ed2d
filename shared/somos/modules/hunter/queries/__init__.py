"""What is asked of the hunter."""
