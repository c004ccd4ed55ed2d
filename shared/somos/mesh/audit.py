"""The audit trail in PostgreSQL: triggers write it, a chain seals it; how it is verified and after years forgotten."""

from collections.abc import Iterator
from typing import Any, Final

# One row per row and transaction: what the same actor changes again before the commit joins what is written already.
# What every row has anyway (its id and times), and what is null on both sides, is left out.
_RECORD_CHANGE = """
create or replace function mesh.record_change() returns trigger
language plpgsql security definer set search_path = pg_catalog as $body$
declare
    before jsonb := case when tg_op = 'INSERT' then '{}'::jsonb else to_jsonb(old) end;
    after jsonb := case when tg_op = 'DELETE' then '{}'::jsonb else to_jsonb(new) end;
    hidden text[] := tg_argv[0]::text[];
    of_table text := tg_table_schema || '.' || tg_table_name;
    of_row uuid := coalesce(after ->> 'id', before ->> 'id')::uuid;
    of_actor uuid := coalesce(nullif(current_setting('somos.actor_id', true), ''),
                              nullif(current_setting('somos.user_id', true), ''))::uuid;
    by_function text := nullif(current_setting('somos.function', true), '');
    in_chain uuid := nullif(current_setting('somos.correlation', true), '')::uuid;
    delta jsonb;
begin
    select jsonb_object_agg(key, case when key = any(hidden) then '["***", "***"]'::jsonb
                                      else jsonb_build_array(before -> key, after -> key) end)
    into delta
    from (select jsonb_object_keys(before || after) as key) keys
    where coalesce(before -> key, 'null') <> coalesce(after -> key, 'null')
      and key not in ('id', 'created_at', 'updated_at', 'version');
    if delta is null and tg_op = 'UPDATE' then return null; end if;
    if tg_op = 'UPDATE' and in_chain is not null then
        update mesh.audit a set changes = mesh.joined_changes(a.changes, delta)
        from mesh.audit_unsealed u
        where a.id = (select max(l.id) from mesh.audit l where l.table_name = of_table and l.row_id = of_row)
          and a.op <> 'delete' and a.correlation = in_chain
          and a.function is not distinct from by_function and a.actor_id is not distinct from of_actor
          and u.audit_id = a.id and u.written_in = pg_current_xact_id()::text::bigint;
        if found then return null; end if;
    end if;
    insert into mesh.audit (table_name, row_id, op, actor_id, actor_kind, function, correlation, changes)
    values (of_table, of_row, lower(tg_op), of_actor, nullif(current_setting('somos.kind', true), ''),
            by_function, in_chain, coalesce(delta, '{}'));
    return null;
end $body$
"""

_JOINED_CHANGES = """
create or replace function mesh.joined_changes(earlier jsonb, later jsonb) returns jsonb
language sql immutable set search_path = pg_catalog as $body$
    select coalesce(jsonb_object_agg(key, change), '{}')
    from (
        select key, jsonb_build_array(coalesce(earlier -> key, later -> key) -> 0,
                                      coalesce(later -> key, earlier -> key) -> 1) as change
        from (select jsonb_object_keys(earlier || later) as key) keys
    ) joined
    where change -> 0 <> change -> 1 or change -> 0 = '"***"'
$body$
"""

# Whoever writes an audit row lists it, in the same transaction: sealing looks at nothing but the list.
_LIST_UNSEALED = """
create or replace function mesh.list_unsealed() returns trigger
language plpgsql security definer set search_path = pg_catalog as $body$
begin
    insert into mesh.audit_unsealed (audit_id, written_in) values (new.id, pg_current_xact_id()::text::bigint);
    return null;
end $body$
"""
_LISTED = """
create or replace trigger somos_list_unsealed after insert on mesh.audit
for each row execute function mesh.list_unsealed()
"""

_SEAL_AUDIT = """
create or replace function mesh.seal_audit(most int) returns int
language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' as $body$
declare
    link bytea;
    entry record;
    sealed bigint[] := '{}';
begin
    if not pg_try_advisory_xact_lock(hashtext('mesh.seal_audit')) then return 0; end if;
    for entry in
        select a.* from mesh.audit_unsealed u join mesh.audit a on a.id = u.audit_id order by u.audit_id limit most
    loop
        if link is null then
            select s.hash into link from mesh.audit_seals s order by s.seq desc limit 1;
        end if;
        link := sha256(coalesce(link, '\\x') || convert_to(to_jsonb(entry)::text, 'UTF8'));
        insert into mesh.audit_seals (audit_id, hash) values (entry.id, link);
        sealed := sealed || entry.id;
    end loop;
    if sealed <> '{}' then
        delete from mesh.audit_unsealed where audit_id = any(sealed);
    end if;
    return cardinality(sealed);
end $body$
"""

_VERIFY_AUDIT = """
create or replace function mesh.verify_audit(since bigint, most int, out upto bigint, out broken bigint)
language plpgsql security definer set search_path = pg_catalog set timezone = 'UTC' as $body$
declare
    link bytea;
    entry record;
    line jsonb;
begin
    upto := since;
    select s.hash into link from mesh.audit_seals s where s.seq <= since order by s.seq desc limit 1;
    for entry in
        select s.seq, s.audit_id, s.hash from mesh.audit_seals s where s.seq > since order by s.seq limit most
    loop
        upto := entry.seq;
        if entry.audit_id is null and link is null then
            link := entry.hash;
            continue;
        end if;
        select to_jsonb(a) into line from mesh.audit a where a.id = entry.audit_id;
        link := sha256(coalesce(link, '\\x') || convert_to(coalesce(line::text, 'missing'), 'UTF8'));
        if link <> entry.hash then
            broken := coalesce(entry.audit_id, 0);
            return;
        end if;
    end loop;
end $body$
"""

# Kept as long as a claim may be brought in Brazil (Código Civil, art. 205).
_FORGET_AUDIT = """
create or replace function mesh.forget_audit(most int) returns int
language plpgsql security definer set search_path = pg_catalog as $body$
declare
    entry record;
    beginning bigint;
    forgotten int := 0;
begin
    if not pg_try_advisory_xact_lock(hashtext('mesh.seal_audit')) then return 0; end if;
    for entry in
        select s.seq, s.audit_id, a.at from mesh.audit_seals s left join mesh.audit a on a.id = s.audit_id
        order by s.seq limit most + 1
    loop
        continue when entry.audit_id is null;
        exit when entry.at is null or entry.at >= now() - interval '10 years' or forgotten = most;
        beginning := entry.seq;
        forgotten := forgotten + 1;
    end loop;
    if forgotten > 0 then
        delete from mesh.audit a using mesh.audit_seals s where s.seq <= beginning and a.id = s.audit_id;
        delete from mesh.audit_seals where seq < beginning;
        update mesh.audit_seals set audit_id = null where seq = beginning;
    end if;
    return forgotten;
end $body$
"""

# The application may read these and call that, never add, change or remove by itself: not even by mistake.
_TABLES: Final = "mesh.audit, mesh.audit_seals, mesh.audit_unsealed"
_CALLED: Final = "mesh.seal_audit(int), mesh.verify_audit(bigint, int), mesh.forget_audit(int)"


def statements(role: str) -> Iterator[str]:
    """Repeatable DDL of the trail itself; `role` is the application's, quoted."""
    yield f"revoke all on {_TABLES} from {role}"
    yield f"grant select on {_TABLES} to {role}"
    yield "drop function if exists mesh.verify_audit()"
    yield from (_JOINED_CHANGES, _RECORD_CHANGE, _LIST_UNSEALED, _LISTED, _SEAL_AUDIT, _VERIFY_AUDIT, _FORGET_AUDIT)
    yield f"revoke all on function {_CALLED} from public"
    yield f"grant execute on function {_CALLED} to {role}"


def of_table(table: Any) -> Iterator[str]:
    """The trigger of one business table."""
    name = table.__table__.fullname
    hidden = "{" + ",".join(sorted(table.__redact__)) + "}"
    yield f"drop trigger if exists somos_audit on {name}"
    yield (
        f"create trigger somos_audit after {' or '.join(table.__audited__)} on {name} "
        f"for each row execute function mesh.record_change('{hidden}')"
    )
