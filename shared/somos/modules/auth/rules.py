"""What may change about an account and a key, and what that ends. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from somos.kernel.refusals import NotAllowed, NotValid
from somos.policy.grants import key_scopes
from somos.policy.roles import Role

MAX_KEY_DAYS: Final = 365


@dataclass(frozen=True)
class Standing:
    """What of an account decides what it may do."""

    role: Role
    active: bool
    client_company_id: UUID | None


def check_standing(standing: Standing) -> None:
    """A client belongs to one company of the CRM, and nobody else does."""
    if standing.role is Role.Cliente and standing.client_company_id is None:
        raise NotValid("Um cliente precisa estar ligado a uma empresa", field="client_company_id")
    if standing.role is not Role.Cliente and standing.client_company_id is not None:
        raise NotValid("Só clientes são ligados a uma empresa", field="client_company_id")


def check_change(before: Standing, after: Standing, *, other_admins: int) -> None:
    """There is always somebody who can manage the house: the last Admin stays one."""
    check_standing(after)
    was_admin = before.active and before.role is Role.Admin
    stays_admin = after.active and after.role is Role.Admin
    if was_admin and not stays_admin and other_admins == 0:
        raise NotAllowed("Este é o último Admin ativo; nomeie outro antes", code="last-admin")


def ends_sessions(before: Standing, after: Standing) -> bool:
    """Whatever changes what an account may do ends its sign-ins; a new name does not."""
    return before != after


def check_scopes(scopes: Collection[str]) -> None:
    """A key gets only what the matrix gives `Agente_IA`; never an action."""
    unknown = sorted(set(scopes) - set(key_scopes()))
    if unknown:
        raise NotValid(
            f"Uma chave não pode receber: {', '.join(unknown)}. Pode receber: {', '.join(key_scopes())}",
            field="scopes",
        )
