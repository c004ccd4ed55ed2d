"""Whether somebody is a client, or talking to us now."""

import json
from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from somos.kernel.keys import CompanyKeys
from somos.mesh.runtime import current

Relationship = Literal["client", "open_deal"]
_ANYBODY = UUID(int=0)  # stands for the one who is asked about

_RELATIONSHIPS = text("""
with asked as (
    select * from jsonb_to_recordset(cast(:asked as jsonb)) as a(id uuid, keys text[])
), known as (
    select a.id, p.relationship, p.employers from asked a join relations.parties p on p.keys && a.keys
), found as (
    select id, relationship from known
    union all
    select k.id, e.relationship from known k join relations.parties e on e.id = any(k.employers)
)
select id, bool_or(relationship = 'client') as is_client from found where relationship is not null group by id
""")


def relationship(db: Session, keys: CompanyKeys) -> Relationship | None:
    """Whether the bearer of any of these keys has bought from us, or is talking to us now."""
    return relationships(db, {_ANYBODY: keys}).get(_ANYBODY)


def relationships(db: Session, bearers: Mapping[UUID, CompanyKeys]) -> dict[UUID, Relationship]:
    """The same for any number of bearers at once; those that are nothing to us are left out."""
    secret = current().settings.suppression_key
    rows = [{"id": str(id), "keys": hashes} for id, keys in bearers.items() if (hashes := keys.hashes(secret))]
    if not rows:
        return {}
    related = db.execute(_RELATIONSHIPS, {"asked": json.dumps(rows)}).all()
    return {row.id: "client" if row.is_client else "open_deal" for row in related}
