"""What outreach writes."""
