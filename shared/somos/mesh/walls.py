"""The mesh's own tables refuse, too: raw SQL of a handler reads no more of them than its principal may see.

The mesh itself acts for nobody (no role is set) and its steps act as the system: both pass. What was done to a
row is for whoever may see the row; a stored answer is for whom it was given; what providers sent and what was
called outside is for the house's administration.
"""

from collections.abc import Iterator
from typing import Final

from somos.policy.matrix import Reach, reach
from somos.policy.roles import SEED_ROLES, Role

_ROLE: Final = "(select coalesce(nullif(current_setting('somos.role', true), ''), 'system'))"
_USER: Final = "(select cast(nullif(current_setting('somos.user_id', true), '') as uuid))"
_MESH: Final = f"{_ROLE} = '{Role.system.value}'"
_ADMINISTRATION: Final = [role.value for role in SEED_ROLES if reach(role, "mesh", "read") is Reach.all]
_READERS: Final = f"{_ROLE} in ({', '.join(repr(name) for name in [Role.system.value, *_ADMINISTRATION])})"

# Asked with the rights of who asks, so that the row's own policy answers.
_ROW_IS_VISIBLE: Final = """
create or replace function mesh.row_is_visible(name text, id uuid) returns boolean
language plpgsql stable set search_path = pg_catalog as $body$
declare found boolean := false;
begin
    if to_regclass(name) is not null then
        execute format('select exists (select 1 from %s r where r.id = $1)', to_regclass(name)) into found using id;
    end if;
    return found;
end $body$
"""

_RULES: Final = {
    # table: (who reads, who writes); only triggers write the audit trail.
    "mesh.audit": (f"{_READERS} or mesh.row_is_visible(table_name, row_id)", None),
    "mesh.idempotency": (f"{_MESH} or principal_id = {_USER}", f"{_MESH} or principal_id = {_USER}"),
    "mesh.inbox": (_READERS, _MESH),
    "mesh.effects": (_READERS, _MESH),
}


def statements() -> Iterator[str]:
    """Repeatable DDL. The owner passes, so that triggers and the audit chain's functions see everything."""
    yield _ROW_IS_VISIBLE
    for table, (read, write) in _RULES.items():
        yield f"alter table {table} enable row level security"
        for command, clause in _policies(read, write):
            yield f"drop policy if exists somos_{command} on {table}"
            yield f"create policy somos_{command} on {table} for {command} {clause}"


def _policies(read: str, write: str | None) -> Iterator[tuple[str, str]]:
    yield "select", f"using ({read})"
    if write is not None:
        yield "insert", f"with check ({write})"
        yield "update", f"using ({write}) with check ({write})"
        yield "delete", f"using ({write})"
