"""What is asked of outreach: plain values, never rows. Other modules use what stands in `__all__` only."""

from somos.modules.sdr.queries.conversations import TimelineItem, conversation
from somos.modules.sdr.queries.people import last_contact_at
from somos.modules.sdr.queries.suppressions import is_suppressed, suppressed_among

__all__ = ["TimelineItem", "conversation", "is_suppressed", "last_contact_at", "suppressed_among"]
