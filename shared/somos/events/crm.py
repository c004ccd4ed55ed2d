"""What the sales pipeline states."""

from typing import Literal
from uuid import UUID

from somos.mesh.events import Event
from somos.mesh.models import Model


class DealOpened(Event):
    """A deal exists; when it came from prospecting, `lead_id` says from whom."""

    deal_id: UUID
    owner_id: UUID | None
    lead_id: UUID | None = None


class DealWon(Event):
    """The client said yes."""

    deal_id: UUID
    company_id: UUID


class Party(Model):
    """What a company's or a contact's own deals make of it; a contact also is what its employers are.

    `keys` are keyed hashes of all by which it is recognised; one that is gone, or became part of another, has none.
    """

    id: UUID
    keys: list[str]
    employers: list[UUID]
    relationship: Literal["client", "open_deal"] | None


class PartiesRestated(Event):
    """Companies and contacts as they are now. Of two statements of one party, that with the higher number holds."""

    number: int
    parties: list[Party]
