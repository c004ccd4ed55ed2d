"""What is somebody else's is not there: in no list, count, total, search, export or refusal, filter or no filter.

Two sellers have a row of every table. Everything Ana can ask is asked twice, while Bruno's rows exist and while
they do not, and the answers must be the same to the byte. Then the handlers' filter is taken away and all of it
must hold again, because the database refuses.
"""

import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, get_args
from uuid import UUID

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.exc import DBAPIError

from somos.mesh import context
from somos.mesh.database import Acting
from somos.mesh.dispatch import sqlstate
from somos.mesh.ids import uuid7
from somos.mesh.records import Delivery, Effect, Inbox, Outbox
from somos.policy.grants import allows
from somos.policy.matrix import MATRIX, Reach
from somos.policy.principals import SYSTEM
from somos.policy.roles import Role
from somos.policy.scopes import access
from tests.contract.asking import Ask, endpoints, path, smallest
from tests.contract.rows import PEOPLE, Rows, tables
from tests.harness.mesh import Answer, Mesh, Person

SECRET = "zebra-confidencial"
# What the mesh keeps beside the business: what was changed, answered, told to us, called outside and is on its way.
OF_THE_MESH = ("mesh.audit", "mesh.idempotency", "mesh.inbox", "mesh.effects", "mesh.outbox", "mesh.deliveries")
MISSING = UUID("01990000-0000-7000-8000-000000000000")
Undone = Callable[[], AbstractContextManager[None]]


@dataclass
class Sellers:
    """Ana asks; what is Bruno's must not be seen."""

    mesh: Mesh
    ana: Person
    bruno: Person
    mine: Rows
    house: Rows
    asks: list[Ask] = field(default_factory=list)

    def __post_init__(self) -> None:
        """All that Ana may ask, of her own rows: made now, so that they are there in every test of it."""
        allowed = [one for one in endpoints() if one.allow != "anyone" and allows(self.ana.principal, one.allow)]
        self.asks = [smallest(endpoint, self.mine) for endpoint in allowed]

    def brunos(self) -> Rows:
        """A row of every table that is his alone, and some that are his in less direct ways."""
        rows = Rows(self.mesh, self.bruno.id, SECRET, self.house).all()
        behind = rows.another("crm.companies", owner_id=None)
        rows.another("crm.deals", company_id=behind)  # the company is his only through his deal
        rows.another("crm.deals", owner_id=None)  # and this one is nobody's yet
        for column, table in (("company_id", "crm.companies"), ("contact_id", "crm.contacts")):
            rows.another("crm.taggings", deal_id=None, **{column: rows.id(table)})
        return rows

    def leave_traces(self) -> None:
        """Of Bruno's work in the mesh's own tables; those of his rows' changes are there already."""
        key = {"Idempotency-Key": "do-bruno"}
        self.mesh.call("POST /api/v1/contacts", {"name": SECRET}, as_=self.bruno, headers=key).ok()
        told = Inbox(
            id=uuid7(), function="sdr-hook-email", provider="resend", dedupe=SECRET, headers={}, raw=SECRET.encode(),
            digest="", received_at=self.mesh.time,
        )  # fmt: skip
        called = Effect(
            delivery_id=uuid7(), name="draft", operation="Llm.ask", state="done", arguments={"prompt": SECRET},
            outcome={}, lease_until=self.mesh.time, started_at=self.mesh.time,
        )  # fmt: skip
        stated = Outbox(
            id=uuid7(), type="crm.deal_opened", data={"deal_id": SECRET}, due_at=self.mesh.time,
            occurred_at=self.mesh.time, correlation=uuid7(), actor_id=self.bruno.id, emitted_by="crm-deals",
        )  # fmt: skip
        due = Delivery(
            id=uuid7(), event_id=stated.id, type=stated.type, function="sdr-on-deal-opened", queue="default",
            due_at=self.mesh.time, timeout=30, max_attempts=8, last_error=SECRET,
        )  # fmt: skip
        with self.mesh.db() as db:
            db.add_all([told, called, stated, due])

    def ask(self, ask: Ask) -> tuple[int, bytes, dict[str, str]]:
        answer: Answer = ask.send(self.mesh, self.ana)
        return answer.status, answer.raw, dict(answer.headers)


@pytest.fixture
def sellers(mesh: Mesh) -> Sellers:
    ana, bruno, dora = mesh.person("Comercial", "Ana"), mesh.person("Comercial", "Bruno"), mesh.person("Diretor")
    house = Rows(mesh, dora.id, "casa").all()
    return Sellers(mesh, ana, bruno, Rows(mesh, ana.id, "minha", house).all(), house)


def unfiltered(_principal: object, table: type, **_how: object) -> Select[Any]:
    """As a handler that forgot its filter would read."""
    return select(table)


@pytest.fixture(params=["both checks", "only the database"])
def checks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Either as it is, or as if every handler had forgotten its filter."""
    if request.param == "only the database":
        monkeypatch.setattr(context, "visible", unfiltered)
    return str(request.param)


# -- what Ana asks


def reads(ask: Ask) -> bool:
    return ask.endpoint.method == "GET" or ask.endpoint.allow.endswith(":read")


def about(rows: Rows, name: str) -> UUID | None:
    """The id of Bruno's that a field of this name would hold."""
    return rows.owner if name in PEOPLE or name.endswith("_by") else rows.named(name)


def readings(sellers: Sellers, theirs: Rows) -> Iterator[Ask]:
    """Every reading: plain, a page of one in every order, and with every filter pointed at Bruno's."""
    for plain in filter(reads, sellers.asks):
        yield plain
        query = plain.endpoint.query
        for name, info in (query.model_fields if query else {}).items():
            for value in _values(name, info.annotation, theirs):
                yield replace(plain, query={**plain.query, name: value, **({"limit": 1} if name == "sort" else {})})


def _values(name: str, annotation: Any, theirs: Rows) -> Iterator[Any]:
    kinds = get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    if name == "sort":
        yield from get_args(annotation)
    elif name == "q":
        yield SECRET
    elif UUID in kinds and (id := about(theirs, name)):
        yield id


def addressed(sellers: Sellers, theirs: Rows) -> Iterator[tuple[Ask, Ask]]:
    """Every request that names a row: with an id of Bruno's, and with one that nobody has."""
    for plain in sellers.asks:
        at_theirs, body = path(plain.endpoint, theirs), plain.endpoint.body
        if set(at_theirs.values()) & set(theirs.made):
            yield replace(plain, path=at_theirs), replace(plain, path=dict.fromkeys(plain.path, MISSING))
        for name, info in (body.model_fields if body else {}).items():
            id, kind = about(theirs, name), str(info.annotation)
            if id not in (theirs.owner, *theirs.made) or "UUID" not in kind or plain.body is None:
                continue
            held: Any = (lambda one: [one]) if "list" in kind else (lambda one: one)
            one, none = ({**plain.body, name: held(which)} for which in (id, MISSING))
            yield replace(plain, body=one), replace(plain, body=none)


def traces(theirs: Rows) -> list[bytes]:
    return [SECRET.encode(), str(theirs.owner).encode(), *(str(id).encode() for id in theirs.made)]


def standing(mesh: Mesh, theirs: Rows) -> list[str]:
    """Bruno's rows as they are, word by word."""
    every = " union all ".join(f"select t::text as row from {name} t where id = any(:ids)" for name in theirs.own())
    return [row["row"] for row in mesh.rows(every + " order by row", ids=theirs.made)]


# -- what must hold


def test_every_reading_is_the_same_to_the_byte_whether_the_others_rows_exist_or_not(
    sellers: Sellers, undone: Undone, checks: str
) -> None:
    with undone():
        theirs = sellers.brunos()
        asks = list(readings(sellers, theirs))
        with_them = [sellers.ask(ask) for ask in asks]
        for ask, (_, raw, _) in zip(asks, with_them, strict=True):
            for trace in traces(theirs):
                assert trace not in raw, f"{ask} {ask.query} shows {trace.decode()}"
    assert len(asks) > 150
    for ask, before in zip(asks, with_them, strict=True):
        assert sellers.ask(ask) == before, f"{ask} {ask.query}"


def test_with_neither_wall_the_same_readings_would_tell_everything(
    sellers: Sellers, undone: Undone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else their silence would prove nothing."""
    theirs = sellers.brunos()
    asks = [ask for ask in readings(sellers, theirs) if not ask.query or set(ask.query) == {"pipeline_id"}]
    monkeypatch.setattr(context, "visible", unfiltered)
    monkeypatch.setattr(context, "Acting", lambda *_: Acting(SYSTEM, "no scope"))
    told = {ask.endpoint.path for ask in asks if any(trace in sellers.ask(ask)[1] for trace in traces(theirs))}
    assert told >= {
        "/api/v1/agents/tasks", "/api/v1/companies", "/api/v1/company-contacts", "/api/v1/contacts", "/api/v1/deals",
        "/api/v1/deal-activities", "/api/v1/deals/board", "/api/v1/deals/export", "/api/v1/imports", "/api/v1/merges",
        "/api/v1/private-notes", "/api/v1/saved-views", "/api/v1/taggings", "/api/v1/users",
    }  # fmt: skip


def test_the_readings_do_show_ana_what_is_hers(sellers: Sellers) -> None:
    """Else the silence of the others would prove nothing."""
    shown = b"".join(sellers.ask(ask)[1] for ask in sellers.asks if reads(ask))
    unseen = {table for table, id in sellers.mine.own().items() if str(id).encode() not in shown}
    # These have no address of their own: history and timeline show their contents, rows of imports their lines.
    assert unseen == {"crm.deal_stage_history", "crm.import_rows"}


def test_a_forbidden_id_answers_to_the_byte_as_a_missing_one_and_changes_nothing(
    sellers: Sellers, undone: Undone, checks: str
) -> None:
    theirs = sellers.brunos()
    before, pairs = standing(sellers.mesh, theirs), list(addressed(sellers, theirs))
    assert len(pairs) > 50
    for forbidden, missing in pairs:
        with undone():
            answer = sellers.ask(forbidden)
            assert standing(sellers.mesh, theirs) == before, f"{forbidden} changes what is not hers"
        with undone():
            assert sellers.ask(missing) == answer, f"{forbidden} {forbidden.path} {forbidden.body}"
        assert answer[0] >= 400 or not forbidden.path, f"{forbidden} {forbidden.path}"


@pytest.mark.parametrize("sql", ["select count(*)::text", "select string_agg(t::text, '|')", "select max(t::text)"])
def test_raw_sql_counts_and_gathers_only_what_is_hers(sellers: Sellers, undone: Undone, sql: str) -> None:
    ctx = sellers.mesh.context(sellers.ana.principal)
    every = {name: text(f"{sql} from {name} t") for name in (*tables(), *OF_THE_MESH)}
    with undone():
        theirs = sellers.brunos()
        sellers.leave_traces()
        with_them = {name: ctx.read(lambda db, one=one: db.execute(one).scalar_one()) for name, one in every.items()}
        for name, found in with_them.items():
            assert not [trace for trace in traces(theirs) if trace.decode() in (found or "")], name
    without = {name: ctx.read(lambda db, one=one: db.execute(one).scalar_one()) for name, one in every.items()}
    assert with_them == without


@pytest.mark.parametrize(
    "sql", ["update {0} set created_at = created_at where id = :id", "delete from {0} where id = :id"]
)
def test_raw_sql_changes_nothing_of_the_others(sellers: Sellers, undone: Undone, sql: str) -> None:
    theirs = sellers.brunos()
    before = standing(sellers.mesh, theirs)
    for name, id in theirs.own().items():
        with undone():
            assert _touched(sellers, sql.format(name), id) == 0, name
            assert standing(sellers.mesh, theirs) == before, name


@pytest.mark.parametrize("table", ["mesh.outbox", "mesh.deliveries"])
@pytest.mark.parametrize("sql", ["update {0} set due_at = due_at + interval '1 year'", "delete from {0}"])
def test_raw_sql_stops_nothing_that_is_on_its_way(sellers: Sellers, sql: str, table: str) -> None:
    sellers.leave_traces()
    assert _touched(sellers, sql.format(table), MISSING) == 0


def _touched(sellers: Sellers, sql: str, id: UUID) -> int:
    """How many rows; none when the database says that nobody may."""
    try:
        with sellers.mesh.db(as_=sellers.ana) as db:
            done: Any = db.execute(text(sql), {"id": id})
            return int(done.rowcount)
    except DBAPIError as error:
        if sqlstate(error) != "42501":
            raise
        return 0


def test_a_client_sees_no_row_of_prospecting_outreach_or_sales(sellers: Sellers) -> None:
    sellers.brunos()
    client = sellers.mesh.person("Cliente", client_company_id=sellers.house.id("crm.companies"))
    closed = {module for module, cells in MATRIX.items() if cells[Role.Cliente] == "-"}
    assert closed >= {"hunter", "sdr", "crm", "agents"}
    for name, mapped in tables().items():
        if name.split(".")[0] in closed:
            assert access(mapped, Role.Cliente, "read") is Reach.none, name
            with sellers.mesh.db(as_=client) as db:
                assert db.execute(text(f"select count(*) from {name}")).scalar_one() == 0, name
    with sellers.mesh.db(as_=client) as db:
        for name in OF_THE_MESH:
            found = [str(row) for row in db.execute(text(f"select t::text from {name} t"))]
            assert all(f"auth.users,{client.id}" in row for row in found), name  # what was done to their account
