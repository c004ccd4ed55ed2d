"""Learn what the code of before did not state

Revision: relations_0002
Follows: relations_0001
"""

from alembic import op

revision = "relations_0002"
down_revision = "relations_0001"
branch_labels = None
depends_on = None
contract = True  # until then, the code of before opens deals and sends messages without stating them


def upgrade() -> None:
    script = op.get_context().opts["script"]
    script.get_revision("relations_0001").module.fill(op.get_bind())


def downgrade() -> None:
    """What was learnt stays."""
