"""What an approval binds: person, channel, sender and the exact text, for a number of days."""

import hashlib
import json
from datetime import datetime, timedelta

VALID_FOR = timedelta(days=7)


def content_hash(*, to: str, channel: str, sender: str, subject: str | None, text: str) -> str:
    """The fingerprint that is approved; one other character, person, channel or sender is another one.

    `sender` is the sender's id and address together: renaming the account voids what it was approved for.
    """
    parts = json.dumps([to, channel, sender, subject or "", text], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(parts.encode()).hexdigest()


def expires_at(moment: datetime) -> datetime:
    """Until when a request may be decided, or a decision used."""
    return moment + VALID_FOR
