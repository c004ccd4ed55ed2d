"""What the sales pipeline states."""

from uuid import UUID

from somos.mesh.events import Event


class DealOpened(Event):
    """A deal exists; when it came from prospecting, `lead_id` says from whom."""

    deal_id: UUID
    owner_id: UUID | None
    lead_id: UUID | None = None


class DealWon(Event):
    """The client said yes."""

    deal_id: UUID
    company_id: UUID
