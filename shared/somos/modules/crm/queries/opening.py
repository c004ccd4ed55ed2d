"""Opens deals: by hand, from a spreadsheet, and once from a lead that said yes."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys, PersonKeys
from somos.mesh.ids import uuid7
from somos.modules.crm.queries import history
from somos.modules.crm.queries.matching import find_company, find_contact, lock_keys
from somos.modules.crm.tables import Company, CompanyContact, Contact, Deal, DealStage, Pipeline

if TYPE_CHECKING:
    from somos.modules.hunter.queries import LeadCard


class NoPipeline(LookupError):
    """No pipeline has a stage yet; `somos.modules.crm.seed.install` makes the default ones."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new deal holds."""

    title: str
    stage: DealStage
    owner_id: UUID | None
    company_id: UUID | None = None
    contact_id: UUID | None = None
    value_cents: int = 0
    expected_close_date: date | None = None
    lead_id: UUID | None = None
    campaign_id: UUID | None = None
    origin: str = "manual"


def first_stage(db: Session, pipeline_id: UUID | None = None) -> DealStage:
    """Where deals of a pipeline start; without one, of the first active pipeline. Raises NoPipeline."""
    found = select(DealStage).join(Pipeline, Pipeline.id == DealStage.pipeline_id).where(Pipeline.active)
    if pipeline_id is not None:
        found = found.where(Pipeline.id == pipeline_id)
    stage = db.scalars(found.order_by(Pipeline.position, Pipeline.id, DealStage.position, DealStage.id)).first()
    if stage is None:
        raise NoPipeline("nenhum funil ativo tem etapas")
    return stage


def open_deal(db: Session, opening: Opening, now: datetime) -> Deal:
    """The deal and the first span of its history."""
    deal = new_deal(opening, now)
    db.add(deal)
    db.flush()
    db.add(history.first_span(deal))
    return deal


def new_deal(opening: Opening, now: datetime) -> Deal:
    """A deal at its stage, not stored yet; whoever stores it stores `history.first_span` after it."""
    return Deal(
        id=uuid7(),
        title=opening.title,
        pipeline_id=opening.stage.pipeline_id,
        stage_id=opening.stage.id,
        stage_entered_at=now,
        state="open",
        owner_id=opening.owner_id,
        company_id=opening.company_id,
        contact_id=opening.contact_id,
        value_cents=opening.value_cents,
        probability=opening.stage.probability,
        expected_close_date=opening.expected_close_date,
        lead_id=opening.lead_id,
        campaign_id=opening.campaign_id,
        origin=opening.origin,
        created_at=now,
    )


def open_from_lead(
    db: Session, lead: "LeadCard", owner_id: UUID, campaign_id: UUID | None, now: datetime
) -> Deal | None:
    """Company, contact and deal of an accepted lead; None when its deal exists already."""
    company_keys = CompanyKeys(cnpj=lead.cnpj, domain=lead.domain, phone=lead.phone, email=lead.email)
    person_keys = PersonKeys(phone=lead.phone, email=lead.email)
    lock_keys(db, [lead.id, lead.cnpj, lead.domain, lead.phone, lead.email])
    if db.scalar(select(exists().where(Deal.lead_id == lead.id))):
        return None
    company = find_company(db, company_keys) or _new_company(db, lead, owner_id)
    _fill_blanks(company, lead)
    contact = find_contact(db, person_keys) or _new_contact(db, lead, owner_id)
    link(db, company.id, contact.id, "contato")
    opening = Opening(
        title=_name(lead),
        stage=first_stage(db),
        owner_id=owner_id,
        company_id=company.id,
        contact_id=contact.id,
        lead_id=lead.id,
        campaign_id=campaign_id,
        origin="lead",
    )
    return open_deal(db, opening, now)


def link(db: Session, company_id: UUID, contact_id: UUID, role: str) -> None:
    """Say that a person is in a company, unless it is known in any role."""
    known = exists().where(CompanyContact.company_id == company_id, CompanyContact.contact_id == contact_id)
    if not db.scalar(select(known)):
        db.add(CompanyContact(company_id=company_id, contact_id=contact_id, role=role))


def _new_company(db: Session, lead: "LeadCard", owner_id: UUID) -> Company:
    company = Company(id=uuid7(), name=_name(lead), owner_id=owner_id)
    db.add(company)
    _fill_blanks(company, lead)
    db.flush()
    return company


def _fill_blanks(company: Company, lead: "LeadCard") -> None:
    """What the lead knows and the company lacked; what a person wrote stays."""
    known = {
        "document": lead.cnpj,
        "domain": lead.domain,
        "phone": lead.phone,
        "email": lead.email,
        "city": lead.city,
        "uf": lead.uf,
    }
    for name, value in known.items():
        if value and getattr(company, name) is None:
            setattr(company, name, value)


def _new_contact(db: Session, lead: "LeadCard", owner_id: UUID) -> Contact:
    contact = Contact(
        id=uuid7(),
        name=lead.contact_name or _name(lead),
        title=lead.contact_role,
        email=lead.email,
        phone=lead.phone,
        owner_id=owner_id,
    )
    db.add(contact)
    db.flush()
    return contact


def _name(lead: "LeadCard") -> str:
    return lead.company_name or lead.domain or "Empresa sem nome"
