"""Require what a span led to

Revision: crm_0004
Follows: crm_0003
"""

from alembic import op

revision = "crm_0004"
down_revision = "crm_0003"
branch_labels = None
depends_on = None
# The code of before ends a span without it.
contract = True


def upgrade() -> None:
    op.execute("select set_config('somos.role', 'system', true)")
    op.execute("alter table crm.deal_stage_history disable trigger user")
    op.execute(
        "update crm.deal_stage_history span set next_state = after.state, next_stage_id = after.stage_id "
        "from crm.deal_stage_history after where after.deal_id = span.deal_id and after.step = span.step + 1 "
        "and span.next_state is null"
    )
    op.execute("alter table crm.deal_stage_history enable trigger user")
    op.create_check_constraint(
        op.f("ck_deal_stage_history_next"),
        "deal_stage_history",
        "(left_at is null) = (num_nonnulls(next_state, next_stage_id) = 0)",
        schema="crm",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_deal_stage_history_next"), "deal_stage_history", schema="crm", type_="check")
