"""Tables of what we are to people and companies, in schema `relations`, a file per resource."""
