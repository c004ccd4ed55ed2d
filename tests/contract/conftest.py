"""Who calls, and how a call leaves nothing behind."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from somos.mesh.ids import uuid7
from somos.policy.grants import key_scopes
from somos.policy.principals import ANONYMOUS, Kind, Principal
from somos.policy.roles import HUMAN_ROLES, Role
from tests.contract.rows import Rows
from tests.harness.mesh import Mesh, Person

CALLERS = (*HUMAN_ROLES, "key", "nobody")


@dataclass(frozen=True)
class Caller:
    """Somebody at the door: who they are, what they hold out, and the rows that are theirs."""

    principal: Principal
    credential: Person | str | None
    rows: Rows


@pytest.fixture
def caller(mesh: Mesh) -> Callable[[str], Caller]:
    """`caller("Comercial")`: a person, `key` with every scope that one can have, or `nobody`."""

    def come(who: str) -> Caller:
        principal, credential = _of(mesh, who)
        return Caller(principal, credential, Rows(mesh, principal.id, f"zebra {who}").all())

    return come


@pytest.fixture
def undone(mesh: Mesh) -> Callable[[], AbstractContextManager[None]]:
    """`with undone(): ...`: what is written inside is gone afterwards."""

    @contextmanager
    def undo() -> Iterator[None]:
        savepoint = mesh.runtime.engine.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()

    return undo


def _of(mesh: Mesh, who: str) -> tuple[Principal, Person | str | None]:
    if who == "nobody":
        return ANONYMOUS, None
    if who.startswith("key"):
        return key(mesh, *(who.split()[1:] or key_scopes()))
    person = mesh.person(who, client_company_id=uuid7() if who == "Cliente" else None)
    return person.principal, person


def key(mesh: Mesh, *scopes: str) -> tuple[Principal, str]:
    """A program's key as an Admin makes it; used once, so that its use is noted."""
    wanted = {"name": "Programa", "scopes": list(scopes), "per_minute": 6000}
    made = mesh.call("POST /api/v1/api-keys", wanted, as_=mesh.person("Admin")).ok()
    secret = made["secret"]
    who = mesh.call("GET /api/v1/auth/me", as_=secret).ok()
    return Principal(UUID(who["id"]), Role.Agente_IA, Kind.api_key, "Programa", scopes=frozenset(scopes)), secret
