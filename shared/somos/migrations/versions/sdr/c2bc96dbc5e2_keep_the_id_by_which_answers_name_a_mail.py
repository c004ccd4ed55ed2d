"""Keep the id by which answers name a mail

Revision: c2bc96dbc5e2
Follows: sdr_0001
"""

import sqlalchemy as sa
from alembic import op

revision = "c2bc96dbc5e2"
down_revision = "sdr_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_receipts", sa.Column("rfc_id", sa.String(), nullable=True), schema="sdr")
    op.create_index(op.f("ix_responses_in_reply_to"), "responses", ["in_reply_to"], unique=False, schema="sdr")


def downgrade() -> None:
    op.drop_index(op.f("ix_responses_in_reply_to"), table_name="responses", schema="sdr")
    op.drop_column("message_receipts", "rfc_id", schema="sdr")
