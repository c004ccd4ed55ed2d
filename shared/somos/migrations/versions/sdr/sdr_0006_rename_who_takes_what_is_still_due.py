"""Rename who takes what is still due

Revision: sdr_0006
Follows: sdr_0005
"""

import sqlalchemy as sa
from alembic import op

revision = "sdr_0006"
down_revision = "sdr_0005"
branch_labels = None
depends_on = "mesh_0001"
contract = True  # until then, the code of before takes what is due under the names of before

GATHERED = {
    "sdr-on-message-facts": (
        "sdr-on-campaign-started",
        "sdr-on-message-approved",
        "sdr-on-message-sent",
        "sdr-on-step-due",
    ),
    "sdr-on-person-facts": (
        "sdr-on-deal-opened",
        "sdr-on-lead-erased",
        "sdr-on-reply-classified",
        "sdr-on-suppression-wanted",
    ),
}
RENAME = sa.text("update mesh.deliveries set function = :after where function = any(:before) and state <> 'done'")
# A function of before is named after the one event that it takes.
RENAME_BACK = sa.text(
    "update mesh.deliveries set function = 'sdr-on-' || replace(split_part(type, '.', 2), '_', '-') "
    "where function = any(:after) and state <> 'done'"
)


def upgrade() -> None:
    for after, before in GATHERED.items():
        op.execute(RENAME.bindparams(after=after, before=list(before)))


def downgrade() -> None:
    op.execute(RENAME_BACK.bindparams(after=list(GATHERED)))
