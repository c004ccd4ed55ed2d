"""List what waits to be sealed, remember the timers, and index what is looked for often

Revision: mesh_0002
Follows: mesh_0001
"""

import sqlalchemy as sa
from alembic import op

revision = "mesh_0002"
down_revision = "mesh_0001"
branch_labels = None
depends_on = None

# Nobody adds an audit row between the filling of the list and the trigger that fills it from then on.
_LIST = (
    "lock table mesh.audit in share row exclusive mode",
    """
    create or replace function mesh.list_unsealed() returns trigger
    language plpgsql security definer set search_path = pg_catalog as $body$
    begin
        insert into mesh.audit_unsealed (audit_id, written_in) values (new.id, pg_current_xact_id()::text::bigint);
        return null;
    end $body$
    """,
    """
    create or replace trigger somos_list_unsealed after insert on mesh.audit
    for each row execute function mesh.list_unsealed()
    """,
    """
    insert into mesh.audit_unsealed (audit_id, written_in)
    select a.id, 0 from mesh.audit a where not exists (select 1 from mesh.audit_seals s where s.audit_id = a.id)
    """,
)

_INDEXES = {
    "ix_outbox_fanned": ("outbox", ["fanned_at"], "fanned_at is not null"),
    "ix_deliveries_done": ("deliveries", ["done_at"], "state = 'done'"),
    "ix_effects_unsettled": ("effects", ["operation", "state"], "state <> 'done'"),
    "ix_effects_parked": ("effects", ["about"], "state = 'parked'"),
    "ix_effects_finished": ("effects", ["finished_at"], None),
    "ix_inbox_received": ("inbox", ["received_at"], None),
}


def upgrade() -> None:
    op.create_table(
        "audit_unsealed",
        sa.Column("audit_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("written_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit_unsealed")),
        schema="mesh",
    )
    op.alter_column("audit_seals", "audit_id", nullable=True, schema="mesh")
    for statement in _LIST:
        op.execute(statement)
    op.create_table(
        "timers",
        sa.Column("function", sa.String(), nullable=False),
        sa.Column("ticked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("function", name=op.f("pk_timers")),
        schema="mesh",
    )
    op.add_column("effects", sa.Column("about", sa.Uuid(), nullable=True), schema="mesh")
    _effect_states("started", "done", "refused", "parked", "settled")
    for name, (table, columns, where) in _INDEXES.items():
        op.create_index(name, table, columns, schema="mesh", postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for name, (table, _columns, _where) in _INDEXES.items():
        op.drop_index(name, table_name=table, schema="mesh")
    op.execute("update mesh.effects set state = 'refused' where state = 'settled'")
    _effect_states("started", "done", "refused", "parked")
    op.drop_column("effects", "about", schema="mesh")
    op.drop_table("timers", schema="mesh")
    op.execute("drop trigger somos_list_unsealed on mesh.audit")
    op.execute("drop function mesh.list_unsealed()")
    op.execute("delete from mesh.audit_seals where audit_id is null")
    op.alter_column("audit_seals", "audit_id", nullable=False, schema="mesh")
    op.drop_table("audit_unsealed", schema="mesh")


def _effect_states(*states: str) -> None:
    listed = ", ".join(f"'{state}'" for state in states)
    op.drop_constraint(op.f("ck_effects_state"), "effects", schema="mesh")
    op.create_check_constraint(op.f("ck_effects_state"), "effects", f"state in ({listed})", schema="mesh")
