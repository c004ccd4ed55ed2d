"""Role x endpoint x verb: the door opens exactly where the matrix says, for everybody, and a refusal changes nothing.

Derived from the declarations: a new endpoint is covered the moment it is declared.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from somos.mesh import authorization
from somos.mesh.declare import Endpoint
from somos.mesh.loader import load
from somos.modules.auth.tables import User
from somos.policy.actions import ACTIONS
from somos.policy.grants import ANYONE, allows, check_permission, is_fresh_required
from somos.policy.matrix import MATRIX
from somos.policy.principals import SYSTEM, Kind, Principal
from somos.policy.roles import Role
from tests.contract.asking import endpoints, smallest
from tests.contract.conftest import CALLERS, Caller
from tests.contract.rows import Rows
from tests.harness.mesh import Answer, Mesh, Person

Undone = Callable[[], AbstractContextManager[None]]
Come = Callable[[str], Caller]

# Reviewed one by one: whoever adds a line says here why a stranger may call it.
PUBLIC = {
    "POST /api/v1/auth/login",  # how one becomes somebody
    "POST /api/v1/auth/refresh",  # holds a token of its own
    "POST /api/v1/auth/logout",  # the same
    "GET /api/v1/unsubscribe/{token}",  # holds a signed token, and only asks
    "POST /api/v1/unsubscribe/{token}",  # RFC 8058: one click, without signing in
}

# Who passes the door and yet has nothing to do behind it.
BESIDE_THE_POINT = {("PUT /api/v1/auth/password", "key")}

_WRITTEN = text(
    "select (select count(*) from mesh.audit), (select count(*) from mesh.outbox), "
    "(select count(*) from mesh.deliveries where state = 'dead'), (select count(*) from agents.tasks)"
)


def written(mesh: Mesh) -> tuple[int, ...]:
    """How much was written so far: every change of a business row is in the audit trail."""
    return tuple(mesh.runtime.engine.execute(_WRITTEN).one())


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def is_shut_out(answer: Answer) -> bool:
    """By the door, not by what stands behind it (a login refuses wrong passwords with 401)."""
    return answer.status in (401, 403) and answer.json["type"] in ("/problems/unauthorised", "/problems/forbidden")


@pytest.mark.parametrize("who", CALLERS)
def test_the_door_opens_exactly_where_the_matrix_says(mesh: Mesh, caller: Come, undone: Undone, who: str) -> None:
    asking = caller(who)
    wrong = []
    for endpoint in endpoints():
        ask = smallest(endpoint, asking.rows)
        with undone():
            before = written(mesh)
            answer = ask.send(mesh, asking.credential)
            said = f"{named(endpoint)} ({endpoint.allow}) answers {who} with {answer.status} {answer.text[:300]}"
            if allows(asking.principal, endpoint.allow):
                # The row asked for is there and is the caller's own: it works, and the database lets it.
                if answer.status >= 300 and (named(endpoint), who) not in BESIDE_THE_POINT:
                    wrong.append(said)
            elif answer.status != (401 if who == "nobody" else 403):
                wrong.append(said)
            elif written(mesh) != before:
                wrong.append(said + " and yet writes")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scope", ["hunter:read", "sdr:write"])
def test_a_key_goes_exactly_as_far_as_its_scope(mesh: Mesh, caller: Come, undone: Undone, scope: str) -> None:
    asking = caller(f"key {scope}")
    for endpoint in endpoints():
        with undone():
            answer = smallest(endpoint, asking.rows).send(mesh, asking.credential)
        assert is_shut_out(answer) is not allows(asking.principal, endpoint.allow), named(endpoint)


@pytest.mark.parametrize(
    "program",
    [
        Principal(UUID(int=7), Role.Agente_IA, Kind.agent, "Qualificador"),
        Principal(UUID(int=8), Role.Agente_IA, Kind.api_key, "n8n", scopes=frozenset(ACTIONS)),
        SYSTEM,
    ],
    ids=lambda program: program.kind.value,
)
def test_no_program_passes_an_action_however_it_came_in(
    mesh: Mesh, caller: Come, monkeypatch: pytest.MonkeyPatch, program: Principal
) -> None:
    rows = caller("Diretor").rows
    monkeypatch.setattr(authorization, "authenticate", lambda *_: program)
    asked = [endpoint for endpoint in endpoints() if endpoint.allow in ACTIONS]
    assert asked
    for endpoint in asked:
        ask, before = smallest(endpoint, rows), written(mesh)
        ask.send(mesh, "whatever").refused(403, "forbidden")
        assert written(mesh) == before, named(endpoint)


@pytest.mark.parametrize("what", ["demoted", "closed", "signed out everywhere"])
def test_who_is_out_is_out_at_once_where_it_counts(mesh: Mesh, caller: Come, undone: Undone, what: str) -> None:
    admin = caller("Admin")
    assert isinstance(admin.credential, Person)
    _change(mesh, admin.credential.id, what)
    demoted = Principal(admin.principal.id, Role.Comercial, Kind.user, "x", "s")
    asked = [endpoint for endpoint in endpoints() if is_fresh_required(endpoint.allow)]
    assert {endpoint.allow for endpoint in asked} >= {"sdr:write", "outreach.approve", "user.manage"}
    for endpoint in asked:
        with undone():
            answer = smallest(endpoint, admin.rows).send(mesh, admin.credential)
        if what == "demoted":
            assert is_shut_out(answer) is not allows(demoted, endpoint.allow), named(endpoint)
        else:
            answer.refused(401, "unauthorised")


def _change(mesh: Mesh, user_id: UUID, what: str) -> None:
    values: dict[str, dict[str, Any]] = {
        "demoted": {"role": "Comercial"},
        "closed": {"active": False},
        "signed out everywhere": {"sessions_valid_from": mesh.time + timedelta(seconds=1)},
    }
    mesh.advance(seconds=2)
    with mesh.db() as db:
        db.execute(update(User).where(User.id == user_id).values(values[what]))


def test_what_strangers_may_call_is_this_short_list() -> None:
    assert {named(endpoint) for endpoint in endpoints() if endpoint.allow == ANYONE} == PUBLIC


def test_what_providers_may_call_is_signed_by_them() -> None:
    hooks = {hook.path: hook.signed_by for function in load().values() for hook in function.webhooks}
    assert hooks == {"/webhook/whatsapp": "evolution", "/webhook/email": "resend"}


def test_every_endpoint_names_a_permission_that_the_matrix_knows() -> None:
    for endpoint in endpoints():
        check_permission(endpoint.allow)


def test_an_endpoint_asks_its_own_module_or_one_of_its_actions() -> None:
    """A function of the CRM that opened with another module's key would go round its own cell of the matrix."""
    borrowed = {
        named(endpoint): endpoint.allow
        for function in load().values()
        for endpoint in function.endpoints
        if ":" in endpoint.allow and endpoint.allow.split(":")[0] != function.module
    }
    assert borrowed == {}


def test_a_client_reaches_no_endpoint_of_prospecting_outreach_or_sales(mesh: Mesh, caller: Come) -> None:
    client = caller("Cliente").principal
    modules = {module for module, cells in MATRIX.items() if cells[Role.Cliente] == "-"}
    assert modules >= {"hunter", "sdr", "crm", "agents", "mesh"}
    asked = [one for one in endpoints() if one.function.split("-")[0] in modules and one.allow != ANYONE]
    assert asked
    assert not [named(one) for one in asked if allows(client, one.allow)]


def test_rows_of_every_table_can_be_made(mesh: Mesh) -> None:
    """What the tests of this folder stand on."""
    made = Rows(mesh, mesh.person("Comercial").id, "zebra").all()
    assert made.own()
