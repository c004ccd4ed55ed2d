"""What migrations make is what the tables say: nothing is added by hand, nothing is forgotten."""

import re
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, MetaData, Table, text

from somos.mesh import ddl
from somos.mesh.database import engine_for
from somos.mesh.loader import load
from somos.mesh.schemas import OneOf
from somos.mesh.tables import Root
from somos.migrations import HERE, Unmade, load_tables, locations, migrate
from tests.contract.asking import endpoints

UNIONS = (Union, UnionType)


def renamed() -> Iterator[Any]:
    """(function, the functions that it took over): what a revision says of deliveries that were due to them."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(locations()))
    for revision in ScriptDirectory.from_config(config).walk_revisions():
        for after, before in getattr(revision.module, "GATHERED", {}).items():
            yield pytest.param(after, before, id=after)


@pytest.mark.parametrize(("after", "before"), list(renamed()))
def test_what_was_due_to_a_function_of_before_has_a_consumer(after: str, before: tuple[str, ...]) -> None:
    function = load()[after]
    names = {f"{function.module}-{one.handler.__name__}".replace("_", "-") for one in function.topics}
    assert set(before) <= names


def test_a_migrated_database_holds_exactly_the_declared_tables(database_urls: tuple[str, str]) -> None:
    load_tables()
    schemas = {table.schema for table in Root.metadata.tables.values()}

    def ours(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
        if kind == "schema":
            return name in schemas
        if kind == "table":
            loose = (parents["schema_name"], name) == ("mesh", "alembic_version") or str(name).startswith("toy_")
            return not loose
        return True

    engine = engine_for(database_urls[1], pool_size=1)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_schemas": True, "include_name": ours})
        assert compare_metadata(context, Root.metadata) == [], (
            'write the revision that is missing: python -m somos.migrations.revise SCHEMA "Add ..."'
        )
    engine.dispose()


def words_in(check: str) -> list[str]:
    return sorted(re.findall(r"'([^']*)'", check))


def test_every_declared_check_is_in_the_database_with_the_same_words(database_urls: tuple[str, str]) -> None:
    """Alembic compares none of them."""
    load_tables()
    declared = {
        f"{table.fullname} {check.name}": words_in(str(check.sqltext))
        for table in Root.metadata.tables.values()
        if table.schema and not table.name.startswith("toy_")
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    made = text(
        "select n.nspname || '.' || c.relname || ' ' || k.conname as name, pg_get_constraintdef(k.oid) as rule "
        "from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace "
        "where k.contype = 'c' and n.nspname = any(:schemas) and c.relname not like 'toy%'"
    )
    engine = engine_for(database_urls[1], pool_size=1)
    with engine.connect() as connection:
        found = connection.execute(made, {"schemas": ddl.schemas()})
        assert {row.name: words_in(row.rule) for row in found} == declared
    engine.dispose()


def told_by_words() -> Iterator[Any]:
    """(table, column, words): every column that a list answers with one of a few words."""
    for endpoint in endpoints():
        table: Any = getattr(endpoint.query, "table", None)
        items = getattr(endpoint.returns, "model_fields", {}).get("items")
        if table is None or items is None:
            continue
        (view,) = get_args(items.annotation)
        for name, info in view.model_fields.items():
            kinds = get_args(info.annotation) if get_origin(info.annotation) in UNIONS else (info.annotation,)
            words = {word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)}
            words |= {word for one in info.metadata if isinstance(one, OneOf) for word in one.words}
            if words and name in table.__table__.columns:
                yield pytest.param(table, name, words, id=f"{table.__table__.fullname}.{name}")


@pytest.mark.parametrize(("table", "column", "words"), list(told_by_words()))
def test_a_column_holds_no_word_that_its_answer_cannot_say(table: Any, column: str, words: set[str]) -> None:
    """Else one stray row makes a whole list answer 500."""
    checks = [str(one.sqltext) for one in table.__table__.constraints if isinstance(one, CheckConstraint)]
    (listed,) = [check for check in checks if check.startswith(f"{column} in (")] or [""]
    assert set(words_in(listed)) == words


def test_every_business_table_is_audited_and_walled(database_urls: tuple[str, str]) -> None:
    load_tables()
    engine = engine_for(database_urls[1], pool_size=1)
    with engine.connect() as connection:
        audited = set(
            connection.execute(
                text(
                    "select n.nspname || '.' || c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid "
                    "join pg_namespace n on n.oid = c.relnamespace where t.tgname = 'somos_audit'"
                )
            ).scalars()
        )
        walled = set(
            connection.execute(
                text(
                    "select n.nspname || '.' || c.relname from pg_class c "
                    "join pg_namespace n on n.oid = c.relnamespace "
                    "where c.relrowsecurity and c.relforcerowsecurity"
                )
            ).scalars()
        )
    engine.dispose()
    wanted = {str(table.__table__) for table in ddl.business_tables()}
    assert wanted
    assert wanted <= audited
    assert wanted <= walled


@pytest.mark.parametrize("words", [[], ["crm"], ["deals", "Add ..."]])
def test_a_revision_that_cannot_be_written_says_how_to_ask_for_one(words: list[str]) -> None:
    asked = subprocess.run([sys.executable, "-m", "somos.migrations.revise", *words], capture_output=True, text=True)
    assert asked.returncode == 1
    assert asked.stderr.startswith("usage: python -m somos.migrations.revise SCHEMA")
    assert " crm," in asked.stderr


def test_a_table_without_a_revision_is_named_with_the_command_that_writes_one(
    database_urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = SimpleNamespace(__module__="somos.modules.crm", __table__=Table("referrals", MetaData(), schema="crm"))
    monkeypatch.setattr(ddl, "business_tables", lambda: [forgotten])
    load_tables()
    with pytest.raises(Unmade, match=r"crm\.referrals; escreva-a: python -m somos\.migrations\.revise crm"):
        migrate(database_urls[1], database_urls[0])
