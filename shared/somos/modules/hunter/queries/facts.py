"""Provenance rows as facts, and facts as rows."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from somos.mesh.ids import uuid7
from somos.modules.hunter.rules.facts import Fact, chosen
from somos.modules.hunter.tables import Lead, LeadSource

COLUMNS = (
    "company_name", "legal_name", "cnpj", "domain", "phone", "email", "contact_name", "contact_role", "city", "uf",
    "address", "segment", "cnae", "size", "registry_status", "instagram", "linkedin", "facebook",
)  # fmt: skip


def facts_of(db: Session, lead_id: UUID) -> list[Fact]:
    """Everything known of one lead, in the order it was learnt."""
    rows = db.scalars(select(LeadSource).where(LeadSource.lead_id == lead_id).order_by(LeadSource.id))
    return [_fact(row) for row in rows]


# One round trip for any number of rows, and one statement to prepare.
_ADD = text("""
insert into hunter.lead_sources (id, lead_id, field, value, source, method, url, seen_at, rank, late)
select new.id, :lead_id, new.field, new.value, new.source, new.method, new.url, new.seen_at, new.rank, new.late
from jsonb_to_recordset(cast(:rows as jsonb)) as new (
    id uuid, field text, value text, source text, method text, url text, seen_at timestamptz, rank int, late boolean
)
""")


def add_facts(db: Session, lead_id: UUID, facts: Iterable[Fact]) -> None:
    """Store what is new; a value seen again at the same place is one row."""
    known = {_same(fact) for fact in facts_of(db, lead_id)}
    rows = []
    for fact in facts:
        if _same(fact) not in known:
            known.add(_same(fact))
            rows.append({"id": uuid7(), **asdict(fact)})
    if rows:
        db.flush()
        db.execute(_ADD, {"lead_id": lead_id, "rows": json.dumps(rows, default=str)})


def show(lead: Lead, facts: Iterable[Fact]) -> None:
    """Put the winning value of each field on the lead."""
    best = chosen(facts)
    for name in COLUMNS:
        setattr(lead, name, best[name].value if name in best else None)
    lead.employees = int(best["employees"].value) if "employees" in best else None


def _fact(row: LeadSource) -> Fact:
    source = row.source  # a CHECK keeps it to the known ones
    return Fact(row.field, row.value, source, row.method, row.url, row.seen_at, row.rank, row.late)  # type: ignore[arg-type]


def _same(fact: Fact) -> tuple[str, str, str, str | None]:
    return fact.field, fact.value, fact.source, fact.url
