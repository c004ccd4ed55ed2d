"""The outside world, simulated: search, company sites, WhatsApp, e-mail, a model and the company registry.

It imports nothing of `somos`; it is what `somos` talks to over plain HTTP when no real service is configured.
"""
