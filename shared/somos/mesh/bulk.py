"""Any number of rows in one round trip, whatever their number: one statement to prepare, one value to send."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from somos.mesh import clock
from somos.mesh.ids import uuid7
from somos.mesh.tables import Table


def insert_rows(db: Session, table: type[Table], rows: Sequence[dict[str, Any]], unless: str = "") -> None:
    """Insert rows that all have the same columns; one whose `unless` columns are taken already is left out."""
    if rows:
        db.flush()  # what they point at comes first
        now = clock.now()
        sent = [{"id": uuid7(), "created_at": now, "updated_at": now, **row} for row in rows]
        db.execute(_statement(table, tuple(sent[0]), unless), {"rows": json.dumps(sent, default=str)})


@cache
def _statement(table: Any, columns: tuple[str, ...], unless: str) -> TextClause:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    names = ", ".join(columns)
    typed = ", ".join(f"{name} {table.__table__.c[name].type.compile(dialect)}" for name in columns)
    conflict = f"on conflict ({unless}) do nothing" if unless else ""
    return text(
        f"insert into {table.__table__.fullname} ({names}) "  # noqa: S608 - names come from the mapped class
        f"select {names} from jsonb_to_recordset(cast(:rows as jsonb)) as sent ({typed}) {conflict}"
    )
