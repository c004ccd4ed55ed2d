"""Keep the words that rows are found by

Revision: mesh_0003
Follows: mesh_0002
"""

import sqlalchemy as sa
from alembic import op

revision = "mesh_0003"
down_revision = "mesh_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both come with PostgreSQL and are trusted: whoever owns the database may have them. One that is here already,
    # wherever it was put, serves as well.
    for extension in ("pg_trgm", "btree_gin"):
        op.execute(f"create extension if not exists {extension} schema mesh")
    op.create_table(
        "searched",
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "row_id", name=op.f("pk_searched")),
        schema="mesh",
    )
    op.execute("set local search_path = mesh, public")
    op.create_index(
        "ix_searched_words",
        "searched",
        ["table_name", "words"],
        unique=False,
        schema="mesh",
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )


def downgrade() -> None:
    op.drop_index("ix_searched_words", table_name="searched", schema="mesh", postgresql_using="gin")
    op.drop_table("searched", schema="mesh")
