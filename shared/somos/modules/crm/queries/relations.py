"""Whether somebody is a client, or talking to us now."""

from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys, PersonKeys
from somos.modules.crm.queries.companies import company_keys
from somos.modules.crm.queries.contacts import contact_keys
from somos.modules.crm.tables import Company, CompanyContact, Contact, Deal

Relationship = Literal["client", "open_deal"]


def relationship(db: Session, keys: CompanyKeys) -> Relationship | None:
    """Whether the bearer of any of these keys has bought from us, or is talking to us now."""
    of_company = [column == value for column, value in company_keys(keys)]
    of_person = contact_keys(PersonKeys(phone=keys.phone, email=keys.email))
    conditions: list[ColumnElement[bool]] = []
    if of_company:
        companies = select(func.coalesce(Company.merged_into_id, Company.id)).where(or_(*of_company))
        conditions.append(Deal.company_id.in_(companies))
    if of_person:
        people = select(func.coalesce(Contact.merged_into_id, Contact.id)).where(or_(*of_person))
        conditions.append(Deal.contact_id.in_(people))
        employers = select(CompanyContact.company_id).where(CompanyContact.contact_id.in_(people))
        conditions.append(Deal.company_id.in_(employers))
    if not conditions:
        return None
    states = set(db.scalars(select(Deal.state).where(or_(*conditions), Deal.state != "lost").distinct()))
    if "won" in states:
        return "client"
    return "open_deal" if "open" in states else None
