"""Every change of a business row leaves a row that nobody can change."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from somos.mesh.database import Acting, engine_for, transaction
from somos.mesh.ids import uuid7
from somos.mesh.relay import Relay
from somos.mesh.restore import broken_audit
from tests.harness.mesh import Mesh


@contextmanager
def _owner(toys: Mesh) -> Iterator[Connection]:
    """Who may do what the application may not."""
    engine = engine_for(toys.runtime.settings.database_owner_url, pool_size=1)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def _broken(toys: Mesh) -> int | None:
    with toys.db() as db:
        return broken_audit(db.connection(), step=1)


def _trail(toys: Mesh, id: object) -> list[tuple[str, object]]:
    rows = toys.rows("select op, changes from mesh.audit where row_id = :id order by id", id=id)
    return [(row["op"], row["changes"]) for row in rows]


def test_a_change_says_who_did_it_and_what_it_was_before(toys: Mesh) -> None:
    admin = toys.person("Admin")
    someone = toys.person("Comercial", "Ana")
    with toys.db(admin) as db:
        db.execute(text("update auth.users set name = 'Ana Paula' where id = :id"), {"id": someone.id})
    [change] = toys.rows("select * from mesh.audit where row_id = :id and op = 'update'", id=someone.id)
    assert change["changes"] == {"name": ["Ana", "Ana Paula"]}
    assert (change["actor_id"], change["actor_kind"], change["table_name"]) == (admin.id, "user", "auth.users")


def test_secret_columns_never_reach_the_trail(toys: Mesh) -> None:
    someone = toys.person("Comercial")
    with toys.db() as db:
        db.execute(text("update auth.users set password_hash = 'novo' where id = :id"), {"id": someone.id})
    trail = toys.one("select string_agg(changes::text, ' ') from mesh.audit where row_id = :id", id=someone.id)
    assert "novo" not in trail
    assert "password_hash" in trail


def test_a_write_that_changes_nothing_leaves_nothing(toys: Mesh) -> None:
    someone = toys.person("Comercial")
    before = toys.one("select count(*) from mesh.audit")
    with toys.db() as db:
        db.execute(text("update auth.users set name = name where id = :id"), {"id": someone.id})
    assert toys.one("select count(*) from mesh.audit") == before


@pytest.mark.parametrize(
    "statement",
    [
        "update mesh.audit set changes = '{}'",
        "delete from mesh.audit",
        "truncate mesh.audit",
        "insert into mesh.audit (table_name, row_id, op, changes) values ('x', gen_random_uuid(), 'update', '{}')",
        "delete from mesh.audit_seals",
        "delete from mesh.audit_unsealed",
    ],
)
def test_the_application_cannot_touch_the_trail(toys: Mesh, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), toys.db() as db:
        db.execute(text(statement))


def test_the_seal_finds_the_row_that_was_altered_behind_its_back(toys: Mesh) -> None:
    toys.person("Comercial")
    second = toys.person("Comercial")
    relay = Relay(toys.runtime)
    assert relay.seal() == 2
    assert relay.seal() == 0
    assert _broken(toys) is None
    with _owner(toys) as connection:
        altered = connection.execute(
            text("update mesh.audit set changes = '{}' where row_id = :id returning id"), {"id": second.id}
        ).scalar_one()
    assert _broken(toys) == altered


def test_the_seal_holds_whatever_time_zone_the_server_speaks(toys: Mesh) -> None:
    toys.person("Comercial")
    Relay(toys.runtime).seal()
    with toys.db() as db:
        db.execute(text("set local timezone = 'America/Sao_Paulo'"))
        assert broken_audit(db.connection()) is None


def test_what_one_request_changes_several_times_is_one_row(toys: Mesh) -> None:
    someone = toys.person("Comercial", "Ana")
    admin = toys.person("Admin")
    with transaction(toys.runtime.engine, Acting(admin.principal, "users", uuid7())) as db:
        for name, email in (("Bia", "a@x.test"), ("Bia", "b@x.test"), ("Eva", "b@x.test")):
            db.execute(
                text("update auth.users set name = :name, email = :email where id = :id"),
                {"name": name, "email": email, "id": someone.id},
            )
    assert _trail(toys, someone.id)[1:] == [
        ("update", {"name": ["Ana", "Eva"], "email": [f"{someone.id}@somos.test", "b@x.test"]})
    ]


def test_what_another_transaction_or_actor_changes_is_a_row_of_its_own(toys: Mesh) -> None:
    someone = toys.person("Comercial", "Ana")
    chain = uuid7()
    for name, principal in (("Bia", toys.person("Admin").principal), ("Eva", toys.person("Admin").principal)):
        with transaction(toys.runtime.engine, Acting(principal, "users", chain)) as db:
            db.execute(text("update auth.users set name = :name where id = :id"), {"name": name, "id": someone.id})
    assert _trail(toys, someone.id)[1:] == [
        ("update", {"name": ["Ana", "Bia"]}),
        ("update", {"name": ["Bia", "Eva"]}),
    ]


def test_a_change_taken_back_in_the_same_request_says_that_nothing_changed(toys: Mesh) -> None:
    someone = toys.person("Comercial", "Ana")
    with transaction(toys.runtime.engine, Acting(toys.person("Admin").principal, "users", uuid7())) as db:
        for name in ("Bia", "Ana"):
            db.execute(text("update auth.users set name = :name where id = :id"), {"name": name, "id": someone.id})
    assert _trail(toys, someone.id)[1:] == [("update", {})]


def test_a_new_row_is_told_by_what_it_holds_and_not_by_what_it_lacks(toys: Mesh) -> None:
    someone = toys.person("Comercial", "Ana")
    [(op, changes)] = _trail(toys, someone.id)
    assert op == "insert"
    assert isinstance(changes, dict)
    assert changes["name"] == [None, "Ana"]
    assert not {"id", "created_at", "updated_at", "client_company_id"} & set(changes)
    assert [None, None] not in changes.values()


def test_sealing_looks_at_nothing_but_what_waits_for_a_seal(toys: Mesh) -> None:
    toys.person("Comercial")
    assert toys.one("select count(*) from mesh.audit_unsealed") == 1
    Relay(toys.runtime).seal()
    assert toys.one("select count(*) from mesh.audit_unsealed") == 0
    with toys.db() as db:
        db.execute(text("set local enable_seqscan = off"))
        before = db.scalar(
            text("select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'audit'")
        )
        db.execute(text("select mesh.seal_audit(1000)"))
        assert before == db.scalar(
            text("select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'audit'")
        )


def test_a_row_that_is_gone_breaks_the_chain(toys: Mesh) -> None:
    people = [toys.person("Comercial") for _ in range(3)]
    Relay(toys.runtime).seal()
    with _owner(toys) as connection:
        gone = connection.execute(
            text("delete from mesh.audit where row_id = :id returning id"), {"id": people[1].id}
        ).scalar_one()
    assert _broken(toys) == gone


def test_rows_past_their_years_are_forgotten_and_the_chain_still_holds(toys: Mesh) -> None:
    people = [toys.person("Comercial") for _ in range(5)]
    with _owner(toys) as connection:
        connection.execute(
            text("update mesh.audit set at = now() - interval '11 years' where row_id = any(:ids)"),
            {"ids": [person.id for person in people[:3]]},
        )
    Relay(toys.runtime).seal()
    with toys.db() as db:
        forgotten = [db.scalar(text("select mesh.forget_audit(2)")) for _ in range(3)]
    assert forgotten == [2, 1, 0]
    assert toys.one("select count(*) from mesh.audit") == 2
    assert _broken(toys) is None
    with _owner(toys) as connection:
        altered = connection.execute(
            text("update mesh.audit set changes = '{}' where row_id = :id returning id"), {"id": people[3].id}
        ).scalar_one()
    assert _broken(toys) == altered


def test_a_beginning_in_the_middle_of_the_chain_is_out_of_place(toys: Mesh) -> None:
    for _ in range(3):
        toys.person("Comercial")
    Relay(toys.runtime).seal()
    with _owner(toys) as connection:
        connection.execute(
            text("update mesh.audit_seals set audit_id = null where seq = (select max(seq) from mesh.audit_seals)")
        )
    assert _broken(toys) == 0
