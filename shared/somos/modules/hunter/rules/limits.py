"""Numbers that bound the hunter's work, in one place."""

QUALIFY_AT = 70  # score from which a lead may be written to
CONTACTED_RECENTLY_DAYS = 30
LATER_DAYS = 30  # a lead that said "later" and named no day comes back after them
LATER_MOST_DAYS = 365  # a day beyond them is a slip of the pen, or of the model
RETENTION_DAYS = 180  # a lead nobody wrote to is erased after it
LEADS_PER_SEARCH = 50
MAX_LEADS_PER_SEARCH = 200
CREDITS_PER_SESSION = 60  # paid look-ups, unless the request says another cap
CREDITS_PER_DAY = 300  # all sessions together
OPEN_PAGES = 4  # pages asked for at once by one session
MAX_QUERIES = 40
STALLED_AFTER_MINUTES = 30
MAX_NUDGES = 3
