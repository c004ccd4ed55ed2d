"""The business modules. They meet in events and in each other's `queries`, never in tables."""
