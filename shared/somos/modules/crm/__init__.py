"""The sales pipeline: companies, contacts, deals and how they move."""
