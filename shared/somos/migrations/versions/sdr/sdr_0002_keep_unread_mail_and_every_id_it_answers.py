"""Keep unread mail and every id it answers

Revision: sdr_0002
Follows: sdr_0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "sdr_0002"
down_revision = "sdr_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "responses",
        sa.Column("answered_ids", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        schema="sdr",
    )
    op.execute("update sdr.responses set answered_ids = array[in_reply_to] where in_reply_to is not null")
    op.create_index(
        "ix_responses_answered_ids", "responses", ["answered_ids"], unique=False, schema="sdr", postgresql_using="gin"
    )
    _check("responses", "state", "'stored', 'unread', 'unmatched', 'matched', 'classified', 'handled'")
    _check("message_receipts", "receipt", "'sent', 'delayed', 'delivered', 'read', 'opened', 'failed'")


def _check(table: str, column: str, values: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{column}"), table, schema="sdr", type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{column}"), table, f"{column} in ({values})", schema="sdr")


def downgrade() -> None:
    _check("message_receipts", "receipt", "'sent', 'delivered', 'read', 'opened', 'failed'")
    _check("responses", "state", "'stored', 'unmatched', 'matched', 'classified', 'handled'")
    op.drop_index("ix_responses_answered_ids", table_name="responses", schema="sdr", postgresql_using="gin")
    op.drop_column("responses", "answered_ids", schema="sdr")
