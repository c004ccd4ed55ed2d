"""Every change of a business row leaves a row that nobody can change."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from somos.mesh.database import engine_for
from somos.mesh.relay import Relay
from tests.harness.mesh import Mesh


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
    assert toys.one("select mesh.verify_audit()") is None
    owner = engine_for(toys.runtime.settings.database_owner_url, pool_size=1)
    with owner.begin() as connection:
        altered = connection.execute(
            text("update mesh.audit set changes = '{}' where row_id = :id returning id"), {"id": second.id}
        ).scalar_one()
    owner.dispose()
    assert toys.one("select mesh.verify_audit()") == altered


def test_the_seal_holds_whatever_time_zone_the_server_speaks(toys: Mesh) -> None:
    toys.person("Comercial")
    Relay(toys.runtime).seal()
    with toys.db() as db:
        db.execute(text("set local timezone = 'America/Sao_Paulo'"))
        assert db.scalar(text("select mesh.verify_audit()")) is None
