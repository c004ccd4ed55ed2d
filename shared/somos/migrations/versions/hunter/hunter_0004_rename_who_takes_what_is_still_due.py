"""Rename who takes what is still due

Revision: hunter_0004
Follows: hunter_0003
"""

import sqlalchemy as sa
from alembic import op

revision = "hunter_0004"
down_revision = "hunter_0003"
branch_labels = None
depends_on = "mesh_0001"
contract = True  # until then, the code of before takes what is due under the names of before

GATHERED = {
    "hunter-on-sales-facts": ("hunter-on-deal-opened", "hunter-on-deal-won"),
    "hunter-on-outreach-facts": (
        "hunter-on-lead-accepted",
        "hunter-on-message-sent",
        "hunter-on-person-suppressed",
        "hunter-on-reply-classified",
    ),
    "hunter-on-search-facts": ("hunter-on-lead-settled", "hunter-on-search-requested"),
}
RENAME = sa.text("update mesh.deliveries set function = :after where function = any(:before) and state <> 'done'")
# A function of before is named after the one event that it takes.
RENAME_BACK = sa.text(
    "update mesh.deliveries set function = 'hunter-on-' || replace(split_part(type, '.', 2), '_', '-') "
    "where function = any(:after) and state <> 'done'"
)


def upgrade() -> None:
    for after, before in GATHERED.items():
        op.execute(RENAME.bindparams(after=after, before=list(before)))


def downgrade() -> None:
    op.execute(RENAME_BACK.bindparams(after=list(GATHERED)))
