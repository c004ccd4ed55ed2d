"""One folder per provider, over one resilient client; found by what each declares, loaded on first use."""
