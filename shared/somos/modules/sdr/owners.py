"""Whose a lead is: sellers answer and classify for their own only."""

from uuid import UUID

from somos.mesh import Context, NotFound
from somos.modules.hunter import queries as hunter
from somos.policy.roles import Role


def check_owns(ctx: Context, lead_id: UUID | None) -> None:
    """Raises NotFound for a seller who does not own this lead, as if it were not there."""
    if ctx.principal.role is not Role.Comercial:
        return
    card = hunter.lead_card(ctx.db, lead_id) if lead_id else None
    if card is None or card.owner_id != ctx.principal.id:
        raise NotFound
