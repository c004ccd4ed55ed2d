"""Find messages by WhatsApp account

Revision: 8f1d5c0e72ab
Follows: c2bc96dbc5e2
"""

from alembic import op

revision = "8f1d5c0e72ab"
down_revision = "c2bc96dbc5e2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outreach_messages_jid", "outreach_messages", ["jid"], unique=False, schema="sdr")


def downgrade() -> None:
    op.drop_index("ix_outreach_messages_jid", table_name="outreach_messages", schema="sdr")
