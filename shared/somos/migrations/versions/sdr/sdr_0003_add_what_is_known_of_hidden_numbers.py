"""Add what is known of hidden numbers, phone messages and lost connections

Revision: sdr_0003
Follows: sdr_0002
"""

import sqlalchemy as sa
from alembic import op

revision = "sdr_0003"
down_revision = "sdr_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hidden_numbers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lid", sa.String(), nullable=False),
        sa.Column("phone_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hidden_numbers")),
        sa.UniqueConstraint("lid", name=op.f("uq_hidden_numbers_lid")),
        schema="sdr",
    )
    op.create_index(op.f("ix_hidden_numbers_phone_key"), "hidden_numbers", ["phone_key"], unique=False, schema="sdr")
    op.create_table(
        "phone_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("provider_id", sa.String(), nullable=False),
        sa.Column("sender_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=False),
        sa.Column("phone_key", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("channel in ('whatsapp', 'email', 'linkedin')", name=op.f("ck_phone_messages_channel")),
        sa.ForeignKeyConstraint(["sender_id"], ["sdr.senders.id"], name=op.f("fk_phone_messages_sender_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_messages")),
        sa.UniqueConstraint("channel", "provider_id", name=op.f("uq_phone_messages_channel_provider_id")),
        schema="sdr",
    )
    op.create_index("ix_phone_messages_lead", "phone_messages", ["lead_id", "id"], unique=False, schema="sdr")
    op.create_index("ix_phone_messages_phone", "phone_messages", ["phone_key", "at"], unique=False, schema="sdr")
    op.create_index(op.f("ix_phone_messages_sender_id"), "phone_messages", ["sender_id"], unique=False, schema="sdr")
    op.add_column(
        "outreach_messages", sa.Column("unconfirmed_at", sa.DateTime(timezone=True), nullable=True), schema="sdr"
    )
    op.add_column("responses", sa.Column("kind", sa.String(), server_default="message", nullable=False), schema="sdr")
    op.create_check_constraint(
        op.f("ck_responses_kind"), "responses", "kind in ('message', 'reaction', 'deletion')", schema="sdr"
    )
    op.add_column("responses", sa.Column("edits", sa.Uuid(), nullable=True), schema="sdr")
    op.create_index(op.f("ix_responses_edits"), "responses", ["edits"], unique=False, schema="sdr")
    op.create_foreign_key(
        op.f("fk_responses_edits"),
        "responses",
        "responses",
        ["edits"],
        ["id"],
        source_schema="sdr",
        referent_schema="sdr",
    )
    op.add_column("senders", sa.Column("loss_told_at", sa.DateTime(timezone=True), nullable=True), schema="sdr")
    op.add_column("senders", sa.Column("back_at", sa.DateTime(timezone=True), nullable=True), schema="sdr")


def downgrade() -> None:
    op.drop_column("senders", "back_at", schema="sdr")
    op.drop_column("senders", "loss_told_at", schema="sdr")
    op.drop_constraint(op.f("fk_responses_edits"), "responses", schema="sdr", type_="foreignkey")
    op.drop_index(op.f("ix_responses_edits"), table_name="responses", schema="sdr")
    op.drop_column("responses", "edits", schema="sdr")
    op.drop_constraint(op.f("ck_responses_kind"), "responses", schema="sdr", type_="check")
    op.drop_column("responses", "kind", schema="sdr")
    op.drop_column("outreach_messages", "unconfirmed_at", schema="sdr")
    op.drop_index(op.f("ix_phone_messages_sender_id"), table_name="phone_messages", schema="sdr")
    op.drop_index("ix_phone_messages_phone", table_name="phone_messages", schema="sdr")
    op.drop_index("ix_phone_messages_lead", table_name="phone_messages", schema="sdr")
    op.drop_table("phone_messages", schema="sdr")
    op.drop_index(op.f("ix_hidden_numbers_phone_key"), table_name="hidden_numbers", schema="sdr")
    op.drop_table("hidden_numbers", schema="sdr")
