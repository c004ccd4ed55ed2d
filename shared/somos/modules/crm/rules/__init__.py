"""What the sales pipeline allows and computes, without a database."""
