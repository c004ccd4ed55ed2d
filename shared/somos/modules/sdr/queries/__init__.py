"""What is asked of outreach. Other modules enter here only, for plain values."""
