"""One adapter per provider, over one resilient client; loaded on first use by `somos.wiring`."""
