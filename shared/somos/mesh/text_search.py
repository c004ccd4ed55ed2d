"""Finds rows by words in the middle of a text, along an index of trigrams.

PostgreSQL may not compare a text by LIKE before row security has judged its row, so under row security no index of
trigrams is ever used. The words therefore stand beside, in `mesh.searched`, which nobody may read: a function tells
the ids of the rows that hold them, and those rows are then read through scopes and row security like any others.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, any_, cast, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

# A word that more rows hold is no help: walking the list in its order meets enough of them soon.
MOST = 500
SHORTEST = 3  # a trigram

_FIND = """
create or replace function mesh.rows_holding(name text, patterns text[], most int) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog as $body$
declare
    held text := (select string_agg(format('words like lower(%L)', pattern), ' and ') from unnest(patterns) pattern);
    found uuid[];
    often int;
begin
    -- One page in a hundred tells what is in every other title, before all of them are fetched.
    execute format(
        'select count(*) from mesh.searched tablesample system (1) repeatable (1) where table_name = %L and %s',
        name, held
    ) into often;
    if often > most / 100 then return null; end if;
    execute format(
        'select array_agg(row_id) from (select row_id from mesh.searched where table_name = %L and %s limit %s) few',
        name, held, most
    ) into found;
    return coalesce(found, '{}');
end $body$
"""


def holds(column: ColumnElement[Any] | InstrumentedAttribute[Any], text: Any) -> ColumnElement[bool]:
    """Whether the column holds the text as it is written.

    As LIKE would say; but under row security PostgreSQL expects LIKE to let next to none pass, whatever its statistics
    say, and reads all of a table to find the first fifty of what every row holds.
    """
    return func.strpos(column, text) > 0


def among(db: Session, table: type[Any], ways: Sequence[Sequence[str]]) -> ColumnElement[bool] | None:
    """The rows that hold all the texts of one of the `ways`; None when too many do, or nothing is long enough.

    It narrows: what the texts must be part of is for the caller's own condition to say.
    """
    if not ways:
        return None
    row_ids: set[UUID] = set()
    for texts in ways:
        patterns = [f"%{_escaped(text)}%" for text in texts if len(text) >= SHORTEST]
        if not patterns:
            return None
        matching = func.mesh.rows_holding(
            table.__table__.fullname, cast(literal(patterns, ARRAY(Text)), ARRAY(Text)), MOST + 1, type_=ARRAY(Uuid)
        )
        ids = db.scalars(select(matching)).one()
        if ids is None or len(ids) > MOST:
            return None
        row_ids.update(ids)
    chosen = "{" + ",".join(map(str, row_ids)) + "}"
    narrowed: ColumnElement[bool] = table.id == any_(cast(literal(chosen), ARRAY(Uuid)))
    return narrowed


def statements(tables: Iterable[type[Any]], role: str) -> Iterator[str]:
    """Repeatable DDL: the function, and for each table that is searched what keeps its words."""
    yield _FIND
    yield "revoke all on function mesh.rows_holding(text, text[], int) from public"
    yield f"grant execute on function mesh.rows_holding(text, text[], int) to {role}"
    yield f"revoke all on mesh.searched from {role}"
    # The owner, too, sees rows only as somebody.
    yield "select set_config('somos.role', 'system', true)"
    for table in tables:
        if table.__searched__:
            yield from _kept(table.__table__.fullname, table.__searched__)
    yield "select set_config('somos.role', '', true)"


def _kept(name: str, columns: tuple[str, ...]) -> Iterator[str]:
    function = f"mesh.keep_words_of_{name.replace('.', '_')}"
    yield (
        f"create or replace function {function}() returns trigger "  # noqa: S608 - names come from the mapped class
        "language plpgsql security definer set search_path = pg_catalog as $body$ begin "
        f"if tg_op <> 'INSERT' then delete from mesh.searched where table_name = '{name}' and row_id = old.id; end if; "
        "if tg_op <> 'DELETE' then insert into mesh.searched (table_name, row_id, words) "
        f"values ('{name}', new.id, {_words('new', columns)}); end if; return null; end $body$"
    )
    yield f"drop trigger if exists somos_words on {name}"
    yield f"drop trigger if exists somos_words_changed on {name}"
    yield f"create trigger somos_words after insert or delete on {name} for each row execute function {function}()"
    yield (
        f"create trigger somos_words_changed after update of {', '.join(columns)} on {name} "
        f"for each row when ({_words('old', columns)} <> {_words('new', columns)}) execute function {function}()"
    )
    yield (
        "insert into mesh.searched (table_name, row_id, words) "  # noqa: S608 - as above
        f"select '{name}', each.id, {_words('each', columns)} from {name} each "
        f"where not exists (select 1 from mesh.searched where table_name = '{name}')"
    )


def _words(row: str, columns: tuple[str, ...]) -> str:
    return "lower(concat_ws(chr(10), " + ", ".join(f"{row}.{column}" for column in columns) + "))"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
