"""Drop the one id that an answer named

Revision: sdr_0004
Follows: sdr_0003
"""

import sqlalchemy as sa
from alembic import op

revision = "sdr_0004"
down_revision = "sdr_0003"
branch_labels = None
depends_on = None
contract = True


def upgrade() -> None:
    # What the code of before stored while both ran.
    op.execute(
        "update sdr.responses set answered_ids = array[in_reply_to]"
        " where in_reply_to is not null and answered_ids = '{}'"
    )
    op.drop_index(op.f("ix_responses_in_reply_to"), table_name="responses", schema="sdr")
    op.drop_column("responses", "in_reply_to", schema="sdr")


def downgrade() -> None:
    op.add_column("responses", sa.Column("in_reply_to", sa.String(), nullable=True), schema="sdr")
    op.create_index(op.f("ix_responses_in_reply_to"), "responses", ["in_reply_to"], unique=False, schema="sdr")
    op.execute("update sdr.responses set in_reply_to = answered_ids[1]")
