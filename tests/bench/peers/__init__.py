"""The same work done with what people would otherwise take."""
