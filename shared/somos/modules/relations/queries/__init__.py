"""What every module may ask: it is told here, so that nobody asks in a circle."""
