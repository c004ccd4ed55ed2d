"""Whose a new record is, and who may give it to somebody else."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from somos.mesh import Forbidden, Invalid
from somos.modules.auth.queries import user_card
from somos.policy.grants import allows
from somos.policy.principals import Principal
from somos.policy.roles import Role

SELLERS = (Role.Admin, Role.Diretor, Role.Comercial)


def owner_of_new(db: Session, principal: Principal, sent: dict[str, Any]) -> UUID | None:
    """The principal, unless the direction names another owner (or, with null, nobody yet)."""
    if "owner_id" not in sent:
        return principal.id
    check_owner(db, principal, sent, principal.id)
    owner: UUID | None = sent["owner_id"]
    return owner


def check_owner(db: Session, principal: Principal, sent: dict[str, Any], owner: UUID | None) -> None:
    """Raises Forbidden unless the principal may take it from this owner, Invalid unless the next one may sell.

    Nobody takes for themselves either: who sees a company through a deal does not own it.
    """
    if "owner_id" not in sent or sent["owner_id"] == owner:
        return
    if not allows(principal, "deal.reassign"):
        raise Forbidden("Só a direção troca o responsável", code="reassign-forbidden")
    if sent["owner_id"] is not None:
        check_seller(db, sent["owner_id"], "owner_id")


def check_seller(db: Session, user_id: UUID, field: str) -> None:
    """Raises Invalid unless this is an active person who can hold deals."""
    user = user_card(db, user_id)
    if user is None or not user.active or user.role not in SELLERS:
        raise Invalid("Não é uma pessoa ativa da equipe comercial", field=field)
