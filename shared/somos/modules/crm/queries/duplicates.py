"""Candidates for being the same company or person, among what the asker may see."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import Session

from somos.kernel.names import significant
from somos.kernel.phones import phone_variants
from somos.mesh import text_search
from somos.modules.crm.rules.duplicates import Known, likeness
from somos.modules.crm.schemas.duplicates import Twin
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact

CANDIDATES = 300
SHOWN = 10


def twins(db: Session, visible: Select[Any], table: type[Company] | type[Contact], known: Known) -> list[Twin]:
    """The likeliest first: equal keys, then alike names."""
    conditions = [
        getattr(table, name) == value
        for name in ("document", "domain", "email")
        if (value := getattr(known, name)) and hasattr(table, name)
    ]
    if known.phone:
        conditions.append(table.phone.in_(phone_variants(known.phone)))
    if words := significant(known.name):
        conditions.append(_named(db, table, words))
    if not conditions:
        return []
    rows = db.scalars(visible.where(table.merged_into_id.is_(None), or_(*conditions)).limit(CANDIDATES))
    likely = []
    for row in rows:
        how = likeness(known, _known(row))
        if how is not None:
            likely.append(Twin(id=row.id, name=row.name, kind=how.kind, fields=list(how.fields), score=how.score))
    return sorted(likely, key=lambda twin: (-twin.score, twin.name))[:SHOWN]


def _named(db: Session, table: type[Company] | type[Contact], words: list[str]) -> ColumnElement[bool]:
    named = or_(*(text_search.holds(table.name_key, word) for word in words))
    narrowed = text_search.among(db, table, [[word] for word in words])
    return named if narrowed is None else and_(narrowed, named)


def _known(row: Any) -> Known:
    return Known(
        name=row.name,
        city=getattr(row, "city", None),
        document=getattr(row, "document", None),
        domain=getattr(row, "domain", None),
        phone=row.phone,
        email=row.email,
    )
