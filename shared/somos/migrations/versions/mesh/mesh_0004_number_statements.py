"""Number statements

Revision: mesh_0004
Follows: mesh_0003
"""

from alembic import op

revision = "mesh_0004"
down_revision = "mesh_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create sequence mesh.statements")


def downgrade() -> None:
    op.execute("drop sequence mesh.statements")
