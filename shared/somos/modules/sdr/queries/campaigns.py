"""Campaigns: which leads may be written to, and what it came to."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, case, distinct, func, select
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys, PersonKeys
from somos.modules.hunter.queries.leads import LeadCard
from somos.modules.relations.queries import parties as relations
from somos.modules.sdr.queries.drafts import address_of
from somos.modules.sdr.queries.enrolments import live_people
from somos.modules.sdr.queries.people import key_of
from somos.modules.sdr.queries.suppressions import reaches
from somos.modules.sdr.rules.inbound import HUMAN
from somos.modules.sdr.schemas.campaigns import CampaignReport
from somos.modules.sdr.tables.campaigns import CampaignLead
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response

# Only these may be written to; the words say why not.
WRITABLE = ("qualified", "in_cadence", "later")
NOT_WRITABLE = {
    "discovered": "O lead ainda não foi pontuado.",
    "enriching": "O lead ainda não foi pontuado.",
    "scored": "O lead ainda não foi qualificado.",
    "duplicate": "O lead é duplicado de outro.",
    "rejected_campaign": "O lead foi recusado.",
    "replied": "A pessoa já respondeu; continue pela conversa.",
    "accepted": "O lead já foi aceito.",
    "converted": "O lead já virou negócio.",
    "not_interested": "A pessoa disse que não tem interesse.",
    "blocked": "A pessoa pediu para não receber mensagens.",
    "erased": "Os dados do lead foram apagados.",
}

NO_ADDRESS = {"whatsapp": "O lead não tem telefone válido.", "email": "O lead não tem e-mail válido."}
RELATIONS = {"client": "A empresa já é cliente.", "open_deal": "A empresa já tem um negócio em andamento."}


def wanted_leads(db: Session, campaign_id: UUID, most: int) -> list[CampaignLead]:
    """The first leads of a campaign that nobody has looked at yet."""
    unseen = select(CampaignLead).where(CampaignLead.campaign_id == campaign_id, CampaignLead.state == "wanted")
    return list(db.scalars(unseen.order_by(CampaignLead.id).limit(most)))


def refused_leads(db: Session, campaign_id: UUID) -> list[CampaignLead]:
    """The leads of a campaign that may not be written to, each with its reason."""
    refused = select(CampaignLead).where(CampaignLead.campaign_id == campaign_id, CampaignLead.state == "refused")
    return list(db.scalars(refused.order_by(CampaignLead.id)))


def reasons_not_to_enrol(db: Session, cards: Mapping[UUID, LeadCard], channel: str, secret: str) -> dict[UUID, str]:
    """Why these leads may not be enrolled, in Portuguese; those that may are left out. Their people are locked.

    Of two leads of one person, the first is enrolled.
    """
    keys = {id: keys_of_card(card, secret) for id, card in cards.items()}
    all_keys = {key for of_one in keys.values() for key in of_one}
    suppressed = reaches(db, all_keys)
    live = live_people(db, keys, all_keys)
    related = relations.relationships(
        db, {id: CompanyKeys.of(card.cnpj, card.domain, card.phone, card.email) for id, card in cards.items()}
    )
    refused: dict[UUID, str] = {}
    for card in cards.values():
        person: set[str | UUID] = {card.id, *keys[card.id]}
        address = key_of(secret, "email" if channel == "email" else "phone", address_of(card, channel) or None)
        if card.state not in WRITABLE:
            refused[card.id] = NOT_WRITABLE.get(card.state, "O lead não pode ser abordado.")
        elif address_of(card, channel) is None:
            refused[card.id] = NO_ADDRESS[channel]
        elif (address, "address") in suppressed or any((key, "person") in suppressed for key in keys[card.id]):
            refused[card.id] = "A pessoa não deve mais receber mensagens."
        elif card.id in related:
            refused[card.id] = RELATIONS[related[card.id]]
        elif not person.isdisjoint(live):
            refused[card.id] = "A pessoa já está em uma cadência."
        else:
            live |= person
    return refused


def keys_of_card(card: LeadCard, secret: str) -> list[str]:
    """The keyed hashes of a lead's person."""
    return PersonKeys.of(card.phone, card.email).hashes(secret)


def report(db: Session, campaign_id: UUID) -> CampaignReport:
    """What the campaign came to so far: messages, and for answers people."""
    m = OutreachMessage
    messages = db.execute(
        select(
            _times(m.drafted_at.is_not(None)).label("drafted"),
            _times(m.state == "awaiting_approval").label("awaiting_approval"),
            _times(m.approved_at.is_not(None)).label("approved"),
            _times(m.edited_at.is_not(None)).label("edited"),
            _times(m.state == "rejected").label("rejected"),
            _times(m.sent_at.is_not(None)).label("sent"),
            _times(m.delivered_at.is_not(None)).label("delivered"),
            _times(m.opened_at.is_not(None)).label("opened"),
            _times(m.state == "failed_permanent").label("failed"),
            _times(m.state == "unknown").label("unknown"),
            func.coalesce(func.sum(m.tokens_in + m.tokens_out), 0).label("tokens"),
        ).where(m.campaign_id == campaign_id)
    ).one()
    leads = db.execute(
        select(func.count().label("leads"), _times(CampaignLead.state == "refused").label("refused")).where(
            CampaignLead.campaign_id == campaign_id
        )
    ).one()
    of_campaign = Response.campaign_id == campaign_id
    answers = db.execute(
        select(
            func.count(distinct(case((Response.label.in_(HUMAN), Response.lead_id)))).label("answered"),
            func.count(distinct(case((Response.label == "interested", Response.lead_id)))).label("positive"),
            func.count(distinct(case((Response.label == "optout", Response.lead_id)))).label("opt_out"),
        ).where(of_campaign)
    ).one()
    return CampaignReport(**messages._asdict(), **leads._asdict(), **answers._asdict())


def _times(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
