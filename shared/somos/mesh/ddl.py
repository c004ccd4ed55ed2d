"""What every migration ends with: schemas, grants, row security, audit triggers. Derived, and safe to repeat."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from somos.mesh import walls
from somos.mesh.tables import Root, Table
from somos.policy import rls

_RECORD_CHANGE = """
create or replace function mesh.record_change() returns trigger
language plpgsql security definer set search_path = pg_catalog as $body$
declare
    before jsonb := case when tg_op = 'INSERT' then '{}'::jsonb else to_jsonb(old) end;
    after jsonb := case when tg_op = 'DELETE' then '{}'::jsonb else to_jsonb(new) end;
    hidden text[] := tg_argv[0]::text[];
    delta jsonb;
    actor text := coalesce(nullif(current_setting('somos.actor_id', true), ''),
                           nullif(current_setting('somos.user_id', true), ''));
begin
    select jsonb_object_agg(key, case when key = any(hidden) then '["***", "***"]'::jsonb
                                      else jsonb_build_array(before -> key, after -> key) end)
    into delta
    from (select jsonb_object_keys(before || after) as key) keys
    where before -> key is distinct from after -> key and key not in ('updated_at', 'version');
    if delta is null then return null; end if;
    insert into mesh.audit (table_name, row_id, op, actor_id, actor_kind, function, correlation, changes)
    values (tg_table_schema || '.' || tg_table_name,
            coalesce(after ->> 'id', before ->> 'id')::uuid, lower(tg_op), actor::uuid,
            nullif(current_setting('somos.kind', true), ''),
            nullif(current_setting('somos.function', true), ''),
            nullif(current_setting('somos.correlation', true), '')::uuid, delta);
    return null;
end $body$
"""

_SEAL_AUDIT = """
create or replace function mesh.seal_audit(most int) returns int
language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' as $body$
declare
    link bytea;
    entry record;
    sealed int := 0;
begin
    if not pg_try_advisory_xact_lock(hashtext('mesh.seal_audit')) then return 0; end if;
    select hash into link from mesh.audit_seals order by seq desc limit 1;
    link := coalesce(link, '\\x'::bytea);
    for entry in
        select a.* from mesh.audit a
        where not exists (select 1 from mesh.audit_seals s where s.audit_id = a.id)
        order by a.id limit most
    loop
        link := sha256(link || convert_to(to_jsonb(entry)::text, 'UTF8'));
        insert into mesh.audit_seals (audit_id, hash) values (entry.id, link);
        sealed := sealed + 1;
    end loop;
    return sealed;
end $body$
"""

_VERIFY_AUDIT = """
create or replace function mesh.verify_audit() returns bigint
language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' as $body$
declare
    link bytea := '\\x'::bytea;
    entry record;
    line jsonb;
begin
    for entry in select s.audit_id, s.hash from mesh.audit_seals s order by s.seq loop
        select to_jsonb(a) into line from mesh.audit a where a.id = entry.audit_id;
        link := sha256(link || convert_to(coalesce(line::text, 'missing'), 'UTF8'));
        if link <> entry.hash then return entry.audit_id; end if;
    end loop;
    return null;
end $body$
"""

# Hundreds of small processes keep a connection each: one that nobody used for a while is given back, and whoever needs
# it again opens it again. A pooler in between gives back sooner by itself.
IDLE = "2min"
_GIVE_BACK = f"""
do $body$ begin
    execute format('alter database %I set idle_session_timeout = %L', current_database(), '{IDLE}');
end $body$
"""

# The application may add to these and read them, never change or remove: not even by mistake.
_APPEND_ONLY = ("mesh.audit", "mesh.audit_seals")


def schemas() -> list[str]:
    """Every PostgreSQL schema of the loaded tables."""
    return sorted({table.schema for table in Root.metadata.tables.values() if table.schema})


def finish(connection: Connection, app_role: str) -> None:
    """Bring grants, policies, functions and triggers to what the code says. Run as the owner."""
    for statement in statements(app_role):
        connection.execute(text(statement.replace(":", "\\:")))


def statements(app_role: str) -> Iterator[str]:
    """The whole of it, in order."""
    role = '"' + app_role.replace('"', '""') + '"'
    yield _GIVE_BACK
    for schema in schemas():
        yield f"grant usage on schema {schema} to {role}"
        yield f"grant select, insert, update, delete on all tables in schema {schema} to {role}"
        yield f"grant usage on all sequences in schema {schema} to {role}"
    yield f"revoke all on {', '.join(_APPEND_ONLY)} from {role}"
    yield f"grant select on {', '.join(_APPEND_ONLY)} to {role}"
    yield from (_RECORD_CHANGE, _SEAL_AUDIT, _VERIFY_AUDIT)
    yield "revoke all on function mesh.seal_audit(int), mesh.verify_audit() from public"
    yield f"grant execute on function mesh.seal_audit(int), mesh.verify_audit() to {role}"
    for table in business_tables():
        yield from _audit(table)
        yield from table.__extra_ddl__(role)
    yield from rls.statements(Root)
    yield from walls.statements()


def business_tables() -> list[type[Table]]:
    """Mapped business tables, by name."""
    found: dict[str, type[Table]] = {}
    for mapper in Root.registry.mappers:
        if issubclass(mapper.class_, Table):
            found[str(mapper.local_table)] = mapper.class_
    return [found[name] for name in sorted(found)]


def _audit(table: Any) -> Iterator[str]:
    name = table.__table__.fullname
    hidden = "{" + ",".join(sorted(table.__redact__)) + "}"
    yield f"drop trigger if exists somos_audit on {name}"
    yield (
        f"create trigger somos_audit after insert or update or delete on {name} "
        f"for each row execute function mesh.record_change('{hidden}')"
    )
