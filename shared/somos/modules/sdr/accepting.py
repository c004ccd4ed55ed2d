"""Handing a lead to the pipeline, once, and to whom."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.modules.hunter import queries as hunter
from somos.modules.sdr.tables import AcceptedLead, Approval, OutreachCampaign, OutreachMessage, Response


def owner_of(db: Session, response: Response) -> UUID | None:
    """Who answers for this conversation: the lead's owner, else who approved our message, else who began it."""
    card = hunter.lead_card(db, response.lead_id) if response.lead_id else None
    if card is not None and card.owner_id is not None:
        return card.owner_id
    message = db.get(OutreachMessage, response.message_id) if response.message_id else None
    approval = db.get(Approval, message.approval_id) if message and message.approval_id else None
    if approval is not None and approval.decided_by is not None:
        return approval.decided_by
    campaign = db.get(OutreachCampaign, response.campaign_id) if response.campaign_id else None
    return campaign.created_by if campaign else response.classified_by_id


def accept(db: Session, response: Response, owner_id: UUID) -> bool:
    """True the first time this lead is accepted, whatever is delivered, pulled or classified again."""
    made = db.execute(
        insert(AcceptedLead)
        .values(id=uuid7(), lead_id=response.lead_id, response_id=response.id, owner_id=owner_id)
        .on_conflict_do_nothing(index_elements=["lead_id"])
        .returning(AcceptedLead.id)
    )
    return made.first() is not None
