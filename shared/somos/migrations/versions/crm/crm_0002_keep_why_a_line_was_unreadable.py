"""Keep why a line of an import could not be read

Revision: crm_0002
Follows: crm_0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "crm_0002"
down_revision = "crm_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "import_rows",
        sa.Column("unreadable", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        schema="crm",
    )


def downgrade() -> None:
    op.drop_column("import_rows", "unreadable", schema="crm")
