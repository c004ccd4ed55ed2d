"""Statements are said to PostgreSQL our own way: what they mean must be the same as ever."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from somos.mesh.database import Acting, alone, engine_for, transaction
from somos.mesh.ids import uuid7
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role


@pytest.fixture
def owners(database_urls: tuple[str, str]) -> Iterator[Engine]:
    """One connection of the owner's, so that every statement meets what the one before left."""
    made = engine_for(database_urls[1], pool_size=1)
    yield made
    made.dispose()


@pytest.mark.parametrize(
    "value", ["ação", "", "'); drop table x; --", "100% certo: %s :x", None, "linha\nlinha", "x" * 3_000_000]
)
def test_a_text_comes_back_as_it_went(owners: Engine, value: str | None) -> None:
    with owners.connect() as connection:
        assert tuple(connection.execute(text("select cast(:value as text), '%s'"), {"value": value}).one()) == (
            value,
            "%s",
        )


def test_values_come_back_with_their_types(owners: Engine) -> None:
    sent = {"a": 2**40, "b": datetime(2026, 11, 23, 12, tzinfo=UTC), "c": UUID(int=7), "d": True, "e": b"\x00\xff"}
    casts = "cast(:a as bigint), cast(:b as timestamptz), cast(:c as uuid), cast(:d as boolean), cast(:e as bytea)"
    with owners.connect() as connection:
        for _ in range(2):
            assert tuple(connection.execute(text(f"select {casts}"), sent).one()) == tuple(sent.values())


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Kolkata"])
@pytest.mark.parametrize("said", ["2026-11-23 12:00:00.5+00", "1999-12-31 23:59:59.999999+00", "2026-02-01 00:00+00"])
def test_an_instant_is_the_same_whatever_the_servers_zone(owners: Engine, zone: str, said: str) -> None:
    with owners.connect() as connection:
        connection.execute(text("select set_config('timezone', :zone, true)"), {"zone": zone})
        found = connection.execute(text("select cast(cast(:said as text) as timestamptz)"), {"said": said}).scalar_one()
    assert found == datetime.fromisoformat(said)
    assert found.utcoffset() is not None


def test_times_that_python_does_not_know_are_left_as_they_are_written(owners: Engine) -> None:
    strange = ("infinity", "-infinity", "20000-01-01 00:00:00+00")
    with owners.connect() as connection:
        for said in strange:
            read = text("select cast(cast(:said as text) as timestamptz)")
            assert connection.execute(read, {"said": said}).scalar_one() == said


def test_a_statement_may_give_no_rows_then_many_then_none(owners: Engine) -> None:
    series = text("select n from generate_series(1, cast(:most as int)) n")
    with owners.connect() as connection:
        for most in (0, 3, 0, 1):
            assert list(connection.execute(series, {"most": most}).scalars()) == list(range(1, most + 1))


def test_a_table_whose_column_changes_its_type_is_read_right_at_once(owners: Engine) -> None:
    read = text("select n from mesh.toy_changing where :any = 1")
    with alone(owners) as connection:
        connection.execute(text("create table mesh.toy_changing as select 1 as n"))
    try:
        with owners.connect() as connection:
            assert connection.execute(read, {"any": 1}).scalar() == 1
        with alone(owners) as connection:
            connection.execute(text("alter table mesh.toy_changing alter n type text using 'um'"))
        with owners.connect() as connection:
            assert connection.execute(read, {"any": 1}).scalar() == "um"
    finally:
        with alone(owners) as connection:
            connection.execute(text("drop table mesh.toy_changing"))


def test_an_error_leaves_the_connection_in_step(owners: Engine) -> None:
    with owners.connect() as connection:
        for wrong in ("select cast(:n as int) / 0", "select nothing from nowhere where 1 = :n", "selec :n"):
            with pytest.raises(ProgrammingError):
                connection.execute(text(wrong), {"n": 1})
            connection.rollback()
            assert connection.execute(text("select cast(:n as int) + 1"), {"n": 1}).scalar() == 2


def test_a_value_that_cannot_be_sent_leaves_the_connection_in_step(owners: Engine) -> None:
    with owners.connect() as connection:
        with pytest.raises(UnicodeEncodeError):
            connection.execute(text("select cast(:value as text)"), {"value": "\ud800"})
        connection.rollback()
        assert connection.execute(text("select cast(:n as int) + 1"), {"n": 1}).scalar() == 2


def test_a_broken_unique_key_is_an_integrity_error(owners: Engine) -> None:
    insert = text("insert into mesh.heartbeats (part, at) values (:part, 'epoch')")
    with owners.connect() as connection:
        connection.execute(insert, {"part": "duas vezes"})
        with pytest.raises(IntegrityError):
            connection.execute(insert, {"part": "duas vezes"})


def test_a_statement_alone_is_not_followed_by_a_commit_nor_lost(owners: Engine) -> None:
    with alone(owners) as connection:
        connection.execute(text("insert into mesh.heartbeats (part, at) values (:part, 'epoch')"), {"part": "sozinha"})
        assert not connection.connection.dbapi_connection._in_transaction
    with owners.connect() as connection:
        found = connection.execute(text("delete from mesh.heartbeats where part = :part"), {"part": "sozinha"})
        assert found.rowcount == 1
        assert connection.connection.dbapi_connection._in_transaction, "the next user has transactions as always"
        connection.commit()


KEPT = text("select count(*) from pg_prepared_statements where name like 'somos%'")


@pytest.fixture
def keeping(database_urls: tuple[str, str]) -> Iterator[Engine]:
    """One connection for which the server keeps three plans."""
    made = engine_for(database_urls[1], pool_size=1, prepared_statements=3)
    yield made
    made.dispose()


def test_a_statement_said_again_is_kept_and_answers_the_same(keeping: Engine) -> None:
    with keeping.begin() as connection:
        connection.execute(text("create temporary table seen (n int, word text)"))
        for n in range(5):
            insert = text("insert into seen values (:n, :word)")
            assert connection.execute(insert, {"n": n, "word": None if n == 2 else f"é {n}"}).rowcount == 1
            found = connection.execute(text("select n, word from seen where n <= :n order by n"), {"n": n}).all()
            assert [row.n for row in found] == list(range(n + 1))
        assert connection.execute(text("select word from seen where n = :n"), {"n": 2}).one() == (None,)
        assert connection.execute(KEPT).scalar_one() == 2
        connection.rollback()


def test_the_server_keeps_no_more_plans_than_it_is_asked_to(keeping: Engine) -> None:
    with keeping.connect() as connection:
        for number in range(20):
            for _ in range(2):
                said = text(f"select {number} + cast(:n as int)")
                assert connection.execute(said, {"n": 1}).scalar_one() == number + 1
        assert connection.execute(KEPT).scalar_one() <= 3


def test_what_a_person_asks_is_not_kept(keeping: Engine) -> None:
    ana = Principal(uuid7(), Role.Comercial, Kind.user, "Ana", "s")
    for _ in range(3):
        with transaction(keeping, Acting(ana, "test")) as db:
            db.execute(text("select cast(:n as int)"), {"n": 1})
            assert db.execute(KEPT).scalar_one() == 0


def test_a_kept_statement_that_fails_is_said_anew(keeping: Engine) -> None:
    said = text("select 10 / cast(:n as int)")
    with keeping.connect() as connection:
        for n in (1, 2, 0, 5, 0, 10, 1):
            if n:
                assert connection.execute(said, {"n": n}).scalar_one() == 10 // n
            else:
                with pytest.raises(ProgrammingError):
                    connection.execute(said, {"n": 0})
            connection.rollback()
        assert connection.execute(KEPT).scalar_one() <= 1


def test_a_table_that_changed_under_a_kept_statement_costs_one_error_and_no_more(keeping: Engine) -> None:
    said = text("select * from shape where n > :n")
    with keeping.connect() as connection:
        connection.execute(text("create temporary table shape (n int)"))
        connection.commit()
        for _ in range(3):
            connection.execute(said, {"n": 0})
        connection.execute(text("alter table shape add column word text"))
        connection.commit()
        with pytest.raises(DBAPIError, match="cached plan"):
            connection.execute(said, {"n": 0})
        connection.rollback()
        assert connection.execute(said, {"n": 0}).keys() == ["n", "word"]
