"""One file per function; a file's place is its name: `crm/deals.py` is the function `crm-deals`."""
