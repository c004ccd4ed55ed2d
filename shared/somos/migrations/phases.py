"""Expand, then contract: what the code of before can live with runs first, what takes something away runs last.

A revision that takes something away (a column, a table, a value that the code before still uses) says so by
`contract = True` beside its `revision`.
"""

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def expanding(connection: Connection, config: Config) -> list[str]:
    """How far each branch may go before its first contraction that did not run yet."""
    return [run[-1] for run in _split(connection, config)[0] if run]


def contracting(connection: Connection, config: Config) -> list[str]:
    """The contractions that did not run yet."""
    return _split(connection, config)[1]


def _split(connection: Connection, config: Config) -> tuple[list[list[str]], list[str]]:
    branches = ScriptDirectory.from_config(config)
    context = MigrationContext.configure(connection, opts={"version_table_schema": "mesh"})
    heads = context.get_current_heads()
    applied = {one.revision for one in branches.iterate_revisions(heads, "base")} if heads else set()
    expands: list[list[str]] = []
    contracts: list[str] = []
    for head in sorted(branches.get_heads()):
        waiting = [one for one in branches.iterate_revisions(head, "base") if one.revision not in applied][::-1]
        takes_away = [one.revision for one in waiting if getattr(one.module, "contract", False)]
        names = [one.revision for one in waiting]
        expands.append(names[: names.index(takes_away[0])] if takes_away else names)
        contracts += takes_away
    return expands, contracts
