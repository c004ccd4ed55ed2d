"""API keys: shown once, narrowed, limited, ended; and never a way to decide."""

from datetime import timedelta
from typing import Any

import pytest

from somos.policy.actions import ACTIONS
from tests.harness.mesh import Mesh, Person


@pytest.fixture
def admin(mesh: Mesh) -> Person:
    return mesh.person("Admin")


def make(mesh: Mesh, admin: Person, **changes: Any) -> dict[str, Any]:
    draft = {"name": "n8n", "scopes": ["hunter:read"], **changes}
    made: dict[str, Any] = mesh.call("POST /api/v1/api-keys", draft, as_=admin).ok()
    return made


def test_a_key_is_shown_once_and_kept_as_a_hash(mesh: Mesh, admin: Person) -> None:
    key = make(mesh, admin)
    assert key["secret"].startswith(key["hint"])
    for later in (f"GET /api/v1/api-keys/{key['id']}", "GET /api/v1/api-keys"):
        assert key["secret"] not in mesh.call(later, as_=admin).text
    everything = str(mesh.rows("select * from auth.api_keys")) + str(mesh.rows("select * from mesh.audit"))
    assert key["secret"] not in everything
    assert mesh.one("select key_hash from auth.api_keys") not in str(mesh.rows("select * from mesh.audit"))


def test_a_key_signs_in_as_an_agent_with_its_scopes_only(mesh: Mesh, admin: Person) -> None:
    key = make(mesh, admin, scopes=["hunter:write", "crm:read"])
    me = mesh.call("GET /api/v1/auth/me", as_=key["secret"]).ok()
    assert (me["kind"], me["role"], me["id"], me["email"]) == ("api_key", "Agente_IA", key["id"], None)
    assert me["permissions"] == ["anyone", "signed-in", "hunter:read", "hunter:write", "crm:read"]


def test_no_key_can_be_given_an_action_or_more_than_agents_may(mesh: Mesh, admin: Person) -> None:
    for scope in [*ACTIONS, "crm:write", "auth:read", "*"]:
        draft = {"name": "forte", "scopes": ["hunter:read", scope]}
        problem = mesh.call("POST /api/v1/api-keys", draft, as_=admin).refused(422)
        assert problem["errors"][0]["field"] == "scopes"


def test_a_key_manages_neither_accounts_nor_keys_nor_passwords(mesh: Mesh, admin: Person) -> None:
    secret = make(mesh, admin)["secret"]
    draft = {"name": "outra", "scopes": ["hunter:read"]}
    mesh.call("POST /api/v1/api-keys", draft, as_=secret).refused(403)
    mesh.call("GET /api/v1/api-keys", as_=secret).refused(403)
    mesh.call("GET /api/v1/users", as_=secret).refused(403)
    change = {"current_password": "x", "new_password": "uma senha comprida"}
    mesh.call("PUT /api/v1/auth/password", change, as_=secret).refused(409, "not-a-person")


def test_a_revoked_key_is_over_at_once_and_revoking_again_is_no_error(mesh: Mesh, admin: Person) -> None:
    key = make(mesh, admin)
    for _ in range(2):
        assert mesh.call(f"DELETE /api/v1/api-keys/{key['id']}", as_=admin).status == 204
    mesh.call("GET /api/v1/auth/me", as_=key["secret"]).refused(401)
    assert mesh.call(f"GET /api/v1/api-keys/{key['id']}", as_=admin).ok()["revoked_at"] is not None


@pytest.mark.any_day
def test_a_key_ends_on_its_day(mesh: Mesh) -> None:
    key = make(mesh, mesh.person("Admin"), days=1)
    mesh.time += timedelta(days=1) - timedelta(seconds=1)
    mesh.call("GET /api/v1/auth/me", as_=key["secret"]).ok()
    mesh.advance(seconds=1)
    mesh.call("GET /api/v1/auth/me", as_=key["secret"]).refused(401)


@pytest.mark.any_day
def test_a_key_keeps_to_its_own_rate(mesh: Mesh, admin: Person) -> None:
    key, other = make(mesh, admin, per_minute=3), make(mesh, admin)
    for _ in range(3):
        mesh.call("GET /api/v1/auth/me", as_=key["secret"]).ok()
    wait = mesh.call("GET /api/v1/auth/me", as_=key["secret"])
    wait.refused(429)
    assert int(wait.headers["Retry-After"]) == 60
    mesh.call("GET /api/v1/auth/me", as_=other["secret"]).ok()


@pytest.mark.any_day
def test_the_last_use_of_a_key_is_kept_to_the_hour(mesh: Mesh, admin: Person) -> None:
    key = make(mesh, admin)
    used = []
    for _ in range(3):
        mesh.call("GET /api/v1/auth/me", as_=key["secret"]).ok()
        used.append(mesh.one("select last_used_at from auth.api_keys"))
        mesh.advance(minutes=40)
    assert used[0] == used[1] < used[2]


@pytest.mark.parametrize("role", ["Diretor", "Comercial", "Cliente"])
def test_only_an_admin_sees_or_makes_keys(mesh: Mesh, admin: Person, role: str) -> None:
    from uuid import uuid4

    key = make(mesh, admin)
    person = mesh.person(role, client_company_id=uuid4() if role == "Cliente" else None)
    mesh.call("GET /api/v1/api-keys", as_=person).refused(403)
    mesh.call(f"DELETE /api/v1/api-keys/{key['id']}", as_=person).refused(403)
    with mesh.db(person) as db:
        from sqlalchemy import select

        from somos.modules.auth.tables import ApiKey

        assert db.scalars(select(ApiKey)).all() == [], "also when the handler forgot to ask"


@pytest.mark.parametrize("secret", ["sk_", "sk_inventada", "sk_" + "x" * 3000])
def test_an_invented_key_opens_nothing(mesh: Mesh, secret: str) -> None:
    mesh.call("GET /api/v1/auth/me", as_=secret).refused(401)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
        ({"per_minute": 0}, "per_minute"),
        ({"name": ""}, "name"),
        ({"role": "Admin"}, "role"),
    ],
)
def test_what_cannot_be_a_key_is_refused_by_field(
    mesh: Mesh, admin: Person, change: dict[str, Any], field: str
) -> None:
    draft = {"name": "n8n", "scopes": ["hunter:read"], **change}
    problem = mesh.call("POST /api/v1/api-keys", draft, as_=admin).refused(422)
    assert [error["field"] for error in problem["errors"]] == [field]
