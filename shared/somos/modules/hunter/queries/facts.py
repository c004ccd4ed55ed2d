"""Provenance rows as facts, and facts as rows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.modules.hunter.queries.bulk import insert_rows
from somos.modules.hunter.rules.facts import Fact, chosen
from somos.modules.hunter.tables import Lead, LeadSource

COLUMNS = (
    "company_name", "legal_name", "cnpj", "domain", "phone", "email", "contact_name", "contact_role", "city", "uf",
    "address", "segment", "cnae", "size", "registry_status", "instagram", "linkedin", "facebook",
)  # fmt: skip


def facts_of(db: Session, lead_id: UUID) -> list[Fact]:
    """Everything known of one lead, in the order it was learnt."""
    return facts_of_all(db, [lead_id]).get(lead_id, [])


def facts_of_all(db: Session, ids: Collection[UUID]) -> dict[UUID, list[Fact]]:
    """The same for any number of leads at once."""
    found: dict[UUID, list[Fact]] = {}
    for row in db.scalars(select(LeadSource).where(LeadSource.lead_id.in_(ids)).order_by(LeadSource.id)):
        found.setdefault(row.lead_id, []).append(_fact(row))
    return found


def add_facts(db: Session, lead_id: UUID, facts: Iterable[Fact]) -> None:
    """Store what is new; a value seen again at the same place is one row."""
    add_first_facts(db, {lead_id: facts}, {_same(fact) for fact in facts_of(db, lead_id)})


def add_first_facts(
    db: Session, of: Mapping[UUID, Iterable[Fact]], known: Collection[tuple[str, str, str, str | None]] = ()
) -> None:
    """Store facts of leads that have none yet, for any number of leads at once."""
    rows = []
    for lead_id, facts in of.items():
        fresh = {_same(fact): fact for fact in reversed(list(facts)) if _same(fact) not in known}
        rows += [{"lead_id": lead_id, **asdict(fact)} for fact in reversed(fresh.values())]
    insert_rows(db, LeadSource, rows)


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
