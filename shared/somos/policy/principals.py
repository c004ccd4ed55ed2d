"""Who is asking: one immutable value that travels with a request, a delivery or a socket."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from .roles import HUMAN_ROLES, Role


class Kind(StrEnum):
    """How the principal proved itself."""

    user = "user"
    api_key = "api_key"
    agent = "agent"
    system = "system"
    anonymous = "anonymous"


_ROLES_OF_KIND: Final = {
    Kind.user: frozenset(HUMAN_ROLES),
    # Service accounts, whoever made them: a role that approves cannot be lent to a program.
    Kind.api_key: frozenset({Role.Agente_IA}),
    Kind.agent: frozenset({Role.Agente_IA}),
    Kind.system: frozenset({Role.system}),
    Kind.anonymous: frozenset({Role.anonymous}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """`scopes` narrows an API key to some permissions (None: the role alone decides), `per_minute` its rate."""

    id: UUID
    role: Role
    kind: Kind
    name: str
    session_id: str | None = None
    client_company_id: UUID | None = None
    scopes: frozenset[str] | None = None
    issued_at: datetime | None = None
    per_minute: int | None = None

    def __post_init__(self) -> None:
        if self.role not in _ROLES_OF_KIND[self.kind]:
            raise ValueError(f"a principal of kind {self.kind} cannot have the role {self.role}")
        if self.kind is Kind.api_key and self.scopes is None:
            raise ValueError("an API key always has scopes")

    @property
    def is_person(self) -> bool:
        """True for a signed-in human being, the only kind that may decide."""
        return self.kind is Kind.user


SYSTEM: Final = Principal(id=UUID(int=0), role=Role.system, kind=Kind.system, name="sistema")
ANONYMOUS: Final = Principal(id=UUID(int=0), role=Role.anonymous, kind=Kind.anonymous, name="anônimo")
