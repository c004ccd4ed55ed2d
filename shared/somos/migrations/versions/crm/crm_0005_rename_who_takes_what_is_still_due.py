"""Rename who takes what is still due

Revision: crm_0005
Follows: crm_0004
"""

import sqlalchemy as sa
from alembic import op

revision = "crm_0005"
down_revision = "crm_0004"
branch_labels = None
depends_on = "mesh_0001"
contract = True  # until then, the code of before takes what is due under the names of before

GATHERED = {
    "crm-on-sales-facts": ("crm-on-deal-opened", "crm-on-deal-won"),
    "crm-on-outreach-facts": ("crm-on-lead-accepted", "crm-on-message-sent", "crm-on-reply-classified"),
}
RENAME = sa.text("update mesh.deliveries set function = :after where function = any(:before) and state <> 'done'")
# A function of before is named after the one event that it takes.
RENAME_BACK = sa.text(
    "update mesh.deliveries set function = 'crm-on-' || replace(split_part(type, '.', 2), '_', '-') "
    "where function = any(:after) and state <> 'done'"
)


def upgrade() -> None:
    for after, before in GATHERED.items():
        op.execute(RENAME.bindparams(after=after, before=list(before)))


def downgrade() -> None:
    op.execute(RENAME_BACK.bindparams(after=list(GATHERED)))
