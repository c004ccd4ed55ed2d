"""The mesh's own tables refuse, too: raw SQL of a handler reads no more of them than its principal may see.

The mesh itself acts for nobody (no role is set) and its steps act as the system: both pass. What was done to a
row is for whoever may see the row; a stored answer is for whom it was given; what providers sent, what was called
outside and what is on its way is for the house's administration. Whoever acts may state an event, and not read it.
"""

from collections.abc import Iterator
from typing import Final

from somos.policy.matrix import Reach, reach
from somos.policy.roles import SEED_ROLES, Role

_ROLE: Final = "coalesce(nullif(current_setting('somos.role', true), ''), 'system')"
_USER: Final = "(select cast(nullif(current_setting('somos.user_id', true), '') as uuid))"
# Each is asked once per statement, and as a whole: a comparison outside makes PostgreSQL expect next to no rows, and
# sort all that is due to find the first twenty.
_MESH: Final = f"(select {_ROLE} = '{Role.system.value}')"
_ADMINISTRATION: Final = [role.value for role in SEED_ROLES if reach(role, "mesh", "read") is Reach.all]
_READERS: Final = f"(select {_ROLE} in ({', '.join(repr(name) for name in [Role.system.value, *_ADMINISTRATION])}))"
_OWN: Final = f"{_MESH} or principal_id = {_USER}"

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
    # table: (who reads, who adds, who changes); only triggers write the audit trail.
    "mesh.audit": (f"{_READERS} or mesh.row_is_visible(table_name, row_id)", None, None),
    "mesh.idempotency": (_OWN, _OWN, _OWN),
    "mesh.inbox": (_READERS, _MESH, _MESH),
    "mesh.effects": (_READERS, _MESH, _MESH),
    "mesh.outbox": (_READERS, "true", _MESH),
    "mesh.deliveries": (_READERS, _MESH, _MESH),
}


def statements() -> Iterator[str]:
    """Repeatable DDL. The owner passes, so that triggers and the audit chain's functions see everything."""
    yield _ROW_IS_VISIBLE
    for table, rules in _RULES.items():
        yield f"alter table {table} enable row level security"
        for command, clause in _policies(*rules):
            yield f"drop policy if exists somos_{command} on {table}"
            yield f"create policy somos_{command} on {table} for {command} {clause}"


def _policies(read: str, add: str | None, change: str | None) -> Iterator[tuple[str, str]]:
    yield "select", f"using ({read})"
    if add is not None:
        yield "insert", f"with check ({add})"
    if change is not None:
        yield "update", f"using ({change}) with check ({change})"
        yield "delete", f"using ({change})"
