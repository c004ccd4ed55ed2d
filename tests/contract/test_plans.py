"""Every list, in every order and by every filter, is read along an index: never by reading or sorting a whole table.

PostgreSQL is told that each table holds a hundred thousand rows, and asked how it would answer what the handlers
really ask. A new list is asked by itself; a table that stays small however long the house lives gets a line in `SMALL`.
"""

import json
import types
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import pytest
from pydantic.fields import FieldInfo
from sqlalchemy import Connection, event, text

from somos.mesh.database import engine_for
from somos.mesh.declare import Endpoint
from somos.mesh.schemas import Filter, OneOf, Page
from somos.policy.grants import allows
from somos.settings import Settings
from tests.contract.asking import Ask, endpoints, smallest
from tests.contract.rows import Rows, tables
from tests.harness.mesh import Mesh

ROWS = 100_000
SORTED = 5_000  # rows that may be sorted, or judged one by one, for one answer
# Set up by people, one by one: hundreds in ten years.
SMALL = {
    "api_keys", "cadence_versions", "cadences", "deal_stages", "extraction_rules", "handovers", "icp_profiles",
    "icp_versions", "imports", "kill_switches", "lost_reasons", "merges", "outreach_campaigns", "pipelines",
    "saved_views", "search_sessions", "senders", "tags", "users",
}  # fmt: skip
# What hangs on a person or company is reached through deals, too: a set is made of all that are, once for an answer.
THROUGH_DEALS = {"/api/v1/company-contacts", "/api/v1/taggings"}
WORDS = "casa"
SAID = {"q": WORDS, "uf": "SP"}


@pytest.fixture(scope="module")
def large(settings: Settings) -> Iterator[None]:
    """Every table is thought to be large, the small ones aside, and made of pages as full as that takes."""
    owner = engine_for(settings.database_owner_url, pool_size=1)
    names = [table.__table__ for table in tables().values() if table.__table__.name not in SMALL]
    with owner.begin() as db:
        for table in names:
            say = text(
                "select pg_restore_relation_stats('schemaname', cast(:schema as text), 'relname', cast(:name as text), "
                "'relpages', 1, 'reltuples', cast(:rows as real))"
            )
            db.execute(say, {"schema": table.schema, "name": table.name, "rows": ROWS})
    yield
    with owner.begin() as db:
        for table in names:
            clear = text("select pg_clear_relation_stats(:schema, :name)")
            db.execute(clear, {"schema": table.schema, "name": table.name})
    owner.dispose()


class Explained:
    """How PostgreSQL would answer each question that a request asks."""

    def __init__(self, connection: Connection) -> None:
        self.plans: list[tuple[str, dict[str, Any]]] = []
        event.listen(connection, "after_cursor_execute", self._explain)

    def _explain(self, _: Any, __: Any, statement: str, parameters: Any, context: Any, ___: bool) -> None:
        if statement.startswith("SELECT ") and " FROM " in statement.replace("\n", " "):
            beside = context.root_connection.connection.cursor()
            beside.execute("explain (format json) " + statement, parameters)
            told = beside.fetchone()[0]
            plan = json.loads(told) if isinstance(told, str) else told
            self.plans.append((statement, plan[0]["Plan"]))

    def faults(self) -> list[str]:
        found = [fault for _, plan in self.plans for fault in _faults(plan)]
        self.plans.clear()
        return found


def _faults(node: dict[str, Any]) -> Iterator[str]:
    inside = node.get("Plans", [])
    if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in SMALL:
        yield f"reads all of {node['Relation Name']}"
    if node["Node Type"] == "Sort" and inside[0]["Plan Rows"] > SORTED:
        yield f"sorts {inside[0]['Plan Rows']} rows by {node['Sort Key']}"
    for part in inside:
        if part.get("Parent Relationship") == "SubPlan":
            hashed = f"hashed {part['Subplan Name']}" in json.dumps(node)
            if not hashed and node["Plan Rows"] > SORTED:
                yield f"judges {node['Plan Rows']} rows of {node.get('Relation Name')} one by one"
        yield from _faults(part)


def lists() -> list[Endpoint]:
    return [
        endpoint
        for endpoint in endpoints()
        if endpoint.method == "GET"
        and endpoint.query is not None
        and issubclass(endpoint.query, Filter)
        and isinstance(endpoint.returns, type)
        and issubclass(endpoint.returns, Page)
        and not endpoint.params
        and endpoint.path not in THROUGH_DEALS
        and getattr(endpoint.query.table, "__table__", None) is not None
        and endpoint.query.table.__table__.fullname in tables()
    ]


def queries(endpoint: Endpoint, rows: Rows) -> Iterator[dict[str, Any]]:
    """Each order alone, and each filter alone."""
    assert endpoint.query is not None
    for name, field in endpoint.query.model_fields.items():
        if name == "sort":
            yield from ({"sort": order} for order in get_args(field.annotation))
        elif name not in Filter.model_fields and (value := _value(name, field, rows)) is not None:
            yield {name: value}


def _value(name: str, field: FieldInfo, rows: Rows) -> Any:
    if name in SAID:
        return SAID[name]
    annotation = field.annotation
    kinds = get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    for kind in kinds:
        listed = [one for one in (*field.metadata, *getattr(kind, "__metadata__", ())) if isinstance(one, OneOf)]
        if listed:
            return listed[0].words[0]
        if get_origin(kind) is Literal:
            return get_args(kind)[0]
        plain = get_args(kind)[0] if get_origin(kind) is not None else kind
        if plain in PLAIN:
            return PLAIN[plain]
        if plain is UUID:
            return rows.named(name) or rows.owner
    return None


PLAIN: dict[Any, Any] = {
    int: 1,
    bool: "true",
    str: WORDS,
    date: "2026-01-01",
    datetime: "2026-01-01T00:00:00Z",
}


@pytest.mark.parametrize("role", ["Diretor", "Comercial"])
def test_every_list_is_read_along_an_index_in_every_order_and_by_every_filter(
    mesh: Mesh, large: None, role: str
) -> None:
    person = mesh.person(role)
    rows = Rows(mesh, person.id, WORDS).all()
    explained = Explained(mesh.runtime.engine)
    wrong: dict[str, list[str]] = {}
    asked = 0
    for endpoint in lists():
        if not allows(person.principal, endpoint.allow):
            continue
        plain = smallest(endpoint, rows)
        for query in queries(endpoint, rows):
            explained.plans.clear()
            ask = Ask(endpoint, plain.path, {**plain.query, **query})
            ask.send(mesh, person).ok()
            if "sort" in query:
                ask.query["cursor"] = _after_the_first(mesh, endpoint, query["sort"], rows)
                ask.send(mesh, person).ok()
            asked += 1
            if faults := explained.faults():
                wrong[f"{endpoint.path}?{query}"] = faults
    assert not wrong, "\n".join(f"{where}: {what}" for where, what in wrong.items())
    assert asked > 80


def _after_the_first(mesh: Mesh, endpoint: Endpoint, sort: str, rows: Rows) -> str:
    """Where the second page would begin."""
    filter: Any = endpoint.query
    with mesh.db() as db:
        row = db.get_one(filter.table, rows.id(filter.table.__table__.fullname))
        cursor: str = filter.model_construct(sort=sort).cursor_of(row)
        return cursor


@pytest.mark.parametrize("role", ["Diretor", "Comercial"])
def test_the_board_the_search_and_what_has_no_next_step_look_at_what_they_show(
    mesh: Mesh, large: None, role: str
) -> None:
    person = mesh.person(role)
    rows = Rows(mesh, person.id, WORDS).all()
    explained = Explained(mesh.runtime.engine)
    pipeline = rows.id("crm.pipelines")
    for path in (f"deals/board?pipeline_id={pipeline}", f"crm/search?q={WORDS}", "deals?without_next_step=true"):
        mesh.call(f"GET /api/v1/{path}", as_=person).ok()
        assert not explained.faults(), path
