"""Whether somebody is a client, or talking to us now."""

import json
from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys
from somos.kernel.phones import phone_variants

Relationship = Literal["client", "open_deal"]
_ANYBODY = UUID(int=0)  # stands for the one who is asked about

_RELATIONSHIPS = text("""
with asked as (
    select * from jsonb_to_recordset(cast(:asked as jsonb))
        as a(id uuid, document text, domain text, phone text, email text, phones text[])
), companies as (
    select a.id, coalesce(c.merged_into_id, c.id) as company_id from asked a join crm.companies c
        on c.document = a.document
    union select a.id, coalesce(c.merged_into_id, c.id) from asked a join crm.companies c on c.domain = a.domain
    union select a.id, coalesce(c.merged_into_id, c.id) from asked a join crm.companies c on c.phone = a.phone
    union select a.id, coalesce(c.merged_into_id, c.id) from asked a join crm.companies c on c.email = a.email
), people as (
    select a.id, coalesce(p.merged_into_id, p.id) as contact_id from asked a join crm.contacts p on p.email = a.email
    union select a.id, coalesce(p.merged_into_id, p.id) from asked a join crm.contacts p on p.phone = any(a.phones)
), employers as (
    select p.id, e.company_id from people p join crm.company_contacts e on e.contact_id = p.contact_id
), deals as (
    select c.id, d.state from companies c join crm.deals d on d.company_id = c.company_id
    union select p.id, d.state from people p join crm.deals d on d.contact_id = p.contact_id
    union select e.id, d.state from employers e join crm.deals d on d.company_id = e.company_id
)
select id, bool_or(state = 'won') as is_client from deals where state <> 'lost' group by id
""")


def relationship(db: Session, keys: CompanyKeys) -> Relationship | None:
    """Whether the bearer of any of these keys has bought from us, or is talking to us now."""
    return relationships(db, {_ANYBODY: keys}).get(_ANYBODY)


def relationships(db: Session, bearers: Mapping[UUID, CompanyKeys]) -> dict[UUID, Relationship]:
    """The same for any number of bearers at once; those that are nothing to us are left out."""
    rows = [
        {
            "id": str(id),
            "document": keys.cnpj,
            "domain": keys.domain,
            "phone": keys.phone,
            "email": keys.email,
            "phones": phone_variants(keys.phone) if keys.phone else [],
        }
        for id, keys in bearers.items()
    ]
    related = db.execute(_RELATIONSHIPS, {"asked": json.dumps(rows)}).all()
    return {row.id: "client" if row.is_client else "open_deal" for row in related}
