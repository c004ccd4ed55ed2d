"""Which lead a key belongs to. Keys are kept as keyed hashes, so they still know a company that was erased."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, literal, select, update
from sqlalchemy.orm import Session

from somos.kernel.keys import key_hash
from somos.mesh.bulk import insert_rows
from somos.modules.hunter.rules.facts import Fact, Key, exact_keys
from somos.modules.hunter.tables.lead_keys import LeadKey
from somos.modules.hunter.tables.lead_sources import LeadSource
from somos.modules.hunter.tables.leads import Lead


def hashes_of(secret: str, facts: Iterable[Fact]) -> dict[str, Key]:
    """hash -> key, for every exact key in these facts; sorted, so that two writers never deadlock."""
    return dict(sorted((key_hash(secret, key.kind, key.value), key) for key in exact_keys(facts)))


def owners(db: Session, hashes: Iterable[str]) -> dict[str, Lead]:
    """hash -> the lead that holds it."""
    array = literal(list(hashes), ARRAY(Text))
    statement = select(LeadKey.hash, Lead).join(Lead, Lead.id == LeadKey.lead_id).where(LeadKey.hash == any_(array))
    return {row.hash: row.Lead for row in db.execute(statement)}


def cnpjs_of(db: Session, leads: Iterable[Lead]) -> dict[UUID, str]:
    """lead -> its CNPJ, also one that it learnt too late to show."""
    own = {lead.id: lead.cnpj for lead in leads}
    learnt = select(LeadSource.lead_id, LeadSource.value).where(
        LeadSource.lead_id == any_(literal(list(own), ARRAY(Uuid))), LeadSource.field == "cnpj"
    )
    from_sources = {row.lead_id: row.value for row in db.execute(learnt.order_by(LeadSource.id.desc()))}
    return from_sources | {lead_id: cnpj for lead_id, cnpj in own.items() if cnpj is not None}


def claim(db: Session, claims: Iterable[tuple[UUID, str, Key]]) -> None:
    """Give (lead, hash, key) to the lead where nobody holds it yet. One statement, in one order."""
    rows = [
        {"lead_id": lead_id, "kind": key.kind, "hash": hash_}
        for lead_id, hash_, key in sorted(claims, key=lambda item: item[1])
    ]
    insert_rows(db, LeadKey, rows, unless="hash")


def hand_over(db: Session, of: UUID, to: UUID) -> None:
    """All keys of one lead become another's."""
    db.execute(update(LeadKey).where(LeadKey.lead_id == of).values(lead_id=to))


def is_refused(lead: Lead) -> bool:
    """Whether whoever comes with this lead's keys is to be left alone."""
    return lead.state == "blocked" or (lead.state == "erased" and lead.erased_why == "request")
