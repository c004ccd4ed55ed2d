"""Tables of outreach, in schema `sdr`, a file per resource."""
