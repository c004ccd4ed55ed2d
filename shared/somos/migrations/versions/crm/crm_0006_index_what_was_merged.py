"""Index what was merged

Revision: crm_0006
Follows: crm_0005
"""

import sqlalchemy as sa
from alembic import op

revision = "crm_0006"
down_revision = "crm_0005"
branch_labels = None
depends_on = None

MERGED = sa.text("merged_into_id is not null")


def upgrade() -> None:
    for table in ("companies", "contacts"):
        name = op.f(f"ix_{table}_merged_into_id")
        op.create_index(name, table, ["merged_into_id"], schema="crm", postgresql_where=MERGED)


def downgrade() -> None:
    for table in ("contacts", "companies"):
        op.drop_index(op.f(f"ix_{table}_merged_into_id"), table_name=table, schema="crm")
