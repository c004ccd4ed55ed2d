"""Whose a new record is, and who may give it to somebody else."""

from uuid import UUID

from pydantic import BaseModel

from somos.mesh import Context, Forbidden, Invalid
from somos.modules.auth.queries import user_card
from somos.policy.grants import allows
from somos.policy.roles import Role

SELLERS = (Role.Admin, Role.Diretor, Role.Comercial)


def owner_of(ctx: Context, draft: BaseModel) -> UUID | None:
    """The principal, unless the direction names another owner (or, with null, nobody yet)."""
    check_owner(ctx, draft, ctx.principal.id)
    return getattr(draft, "owner_id", None) if "owner_id" in draft.model_fields_set else ctx.principal.id


def check_owner(ctx: Context, sent: BaseModel, owner: UUID | None) -> None:
    """Raises Forbidden unless the principal may take it from this owner, Invalid unless the next one may sell.

    Nobody takes for themselves either: who sees a company through a deal does not own it.
    """
    next_owner: UUID | None = getattr(sent, "owner_id", None)
    if "owner_id" not in sent.model_fields_set or next_owner == owner:
        return
    if not allows(ctx.principal, "deal.reassign"):
        raise Forbidden("Só a direção troca o responsável", code="reassign-forbidden")
    if next_owner is not None:
        check_seller(ctx, next_owner, "owner_id")


def check_seller(ctx: Context, user_id: UUID, field: str) -> None:
    """Raises Invalid unless this is an active person who can hold deals."""
    user = user_card(ctx.db, user_id)
    if user is None or not user.active or user.role not in SELLERS:
        raise Invalid("Não é uma pessoa ativa da equipe comercial", field=field)
