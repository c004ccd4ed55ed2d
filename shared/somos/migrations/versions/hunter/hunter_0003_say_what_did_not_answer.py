"""Say what did not answer while a lead was looked at, and count the leads that a person decides

Revision: hunter_0003
Follows: hunter_0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "hunter_0003"
down_revision = "hunter_0002"
branch_labels = None
depends_on = None

COUNTED = "found >= 0 and repeated >= 0 and ignored >= 0 and settled >= 0 and qualified >= 0 and rejected >= 0 and "
COUNTED += "duplicates >= 0 and blocked >= 0"


def upgrade() -> None:
    op.add_column(
        "leads",
        sa.Column("unreached", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        schema="hunter",
    )
    op.add_column(
        "search_sessions", sa.Column("undecided", sa.Integer(), server_default="0", nullable=False), schema="hunter"
    )
    _count(f"{COUNTED} and undecided >= 0 and credits >= 0")


def downgrade() -> None:
    _count(f"{COUNTED} and credits >= 0")
    op.drop_column("search_sessions", "undecided", schema="hunter")
    op.drop_column("leads", "unreached", schema="hunter")


def _count(condition: str) -> None:
    name = op.f("ck_search_sessions_counters")
    op.drop_constraint(name, "search_sessions", schema="hunter", type_="check")
    op.create_check_constraint(name, "search_sessions", condition, schema="hunter")
