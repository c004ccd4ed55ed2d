"""The development gateway: the edge, every function in one process, OpenFaaS's API, and a page to look at it all."""
