"""Who is asking, as the system knows them."""

from somos.mesh import Context, http
from somos.modules.auth import queries
from somos.modules.auth.schemas import Me
from somos.policy.grants import allows, known_permissions


@http.get("/api/v1/auth/me", allow="signed-in")
def me(ctx: Context) -> Me:
    """Front ends show what `permissions` allow; the server checks each request anyway."""
    who = ctx.principal
    card = queries.user_card(ctx.db, who.id) if who.is_person else None
    return Me(
        id=who.id,
        kind=who.kind.value,
        name=card.name if card else who.name,
        role=who.role.value,
        email=card.email if card else None,
        client_company_id=who.client_company_id,
        permissions=[permission for permission in known_permissions() if allows(who, permission)],
    )
