"""Accounts: who may open, see, change and close them, and that a change acts at once where it matters."""

from typing import Any
from uuid import uuid4

import pytest

from somos.policy.roles import Role
from tests.functions.auth.conftest import PASSWORD, Door
from tests.harness.mesh import Mesh

DRAFT = {"email": "Novo@Somos.Test", "name": "Novo", "role": "Comercial", "password": PASSWORD}


def test_an_admin_opens_an_account_that_can_sign_in(door: Door) -> None:
    admin = door.mesh.person("Admin")
    user = door.mesh.call("POST /api/v1/users", DRAFT, as_=admin)
    assert user.status == 201
    assert user.json["email"] == "novo@somos.test"
    assert "password" not in user.text
    assert door.login("novo@somos.test").ok()


def test_one_address_is_one_account_however_it_is_capitalised(mesh: Mesh) -> None:
    admin = mesh.person("Admin")
    mesh.call("POST /api/v1/users", DRAFT, as_=admin).ok()
    mesh.call("POST /api/v1/users", {**DRAFT, "email": "NOVO@somos.test"}, as_=admin).refused(409, "email-taken")
    other = mesh.call("POST /api/v1/users", {**DRAFT, "email": "outro@somos.test"}, as_=admin).ok()
    taken = mesh.call(f"PATCH /api/v1/users/{other['id']}", {"email": "novo@somos.test"}, as_=admin)
    taken.refused(409, "email-taken")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "sem arroba"}, "email"),
        ({"name": "  "}, "name"),
        ({"role": "Agente_IA"}, "role"),
        ({"role": "system"}, "role"),
        ({"password": "curta"}, "password"),
        ({"password": "aaaaaaaaaaaa"}, "password"),
        ({"password": "novo@somos.test"}, "password"),
        ({"role": "Cliente"}, "client_company_id"),
        ({"client_company_id": str(uuid4())}, "client_company_id"),
        ({"admin": True}, "admin"),
    ],
)
def test_what_cannot_be_an_account_is_refused_by_field(mesh: Mesh, change: dict[str, Any], field: str) -> None:
    answer = mesh.call("POST /api/v1/users", {**DRAFT, **change}, as_=mesh.person("Admin"))
    problem = answer.refused(422)
    assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("role", ["Diretor", "Comercial", "Cliente"])
def test_nobody_but_an_admin_opens_changes_or_closes_accounts(mesh: Mesh, role: str) -> None:
    person = mesh.person(role, client_company_id=uuid4() if role == "Cliente" else None)
    mesh.call("POST /api/v1/users", DRAFT, as_=person).refused(403)
    mesh.call(f"PATCH /api/v1/users/{person.id}", {"role": "Admin"}, as_=person).refused(403)
    mesh.call(f"PUT /api/v1/users/{person.id}/password", {"password": PASSWORD}, as_=person).refused(403)


def test_the_direction_sees_all_accounts_and_everybody_else_their_own(mesh: Mesh) -> None:
    people = {role: mesh.person(role) for role in ("Admin", "Diretor", "Comercial")}
    client = mesh.person("Cliente", client_company_id=uuid4())
    for role in ("Admin", "Diretor"):
        assert len(mesh.call("GET /api/v1/users", as_=people[role]).ok()["items"]) == 4
    for person in (people["Comercial"], client):
        items = mesh.call("GET /api/v1/users", as_=person).ok()["items"]
        assert [item["id"] for item in items] == [str(person.id)]
        mesh.call(f"GET /api/v1/users/{people['Admin'].id}", as_=person).refused(404)
        mesh.call(f"GET /api/v1/users/{person.id}", as_=person).ok()


def test_accounts_are_listed_by_role_state_and_page(mesh: Mesh) -> None:
    admin = mesh.person("Admin", name="Zélia")
    for name in ("Bia", "Caio", "Davi"):
        mesh.person("Comercial", name=name)
    sellers = mesh.call("GET /api/v1/users?role=Comercial&limit=2", as_=admin).ok()
    assert [item["name"] for item in sellers["items"]] == ["Bia", "Caio"]
    rest = mesh.call(f"GET /api/v1/users?role=Comercial&limit=2&cursor={sellers['next']}", as_=admin).ok()
    assert [item["name"] for item in rest["items"]] == ["Davi"]
    assert mesh.call("GET /api/v1/users?active=false", as_=admin).ok()["items"] == []


def test_a_demotion_ends_sign_ins_and_acts_at_once_on_decisions(door: Door) -> None:
    mesh, admin = door.mesh, door.mesh.person("Admin")
    boss = door.account("chefe@somos.test", Role.Admin)
    pair = door.login("chefe@somos.test").ok()
    mesh.call("POST /api/v1/users", DRAFT, as_=pair["access_token"]).ok()
    mesh.advance(seconds=1)
    changed = mesh.call(f"PATCH /api/v1/users/{boss}", {"role": "Comercial"}, as_=admin).ok()
    assert changed["role"] == "Comercial"
    again = {**DRAFT, "email": "outro@somos.test"}
    mesh.call("POST /api/v1/users", again, as_=pair["access_token"]).refused(401)
    door.refresh(pair["refresh_token"]).refused(401)
    assert door.login("chefe@somos.test").ok()["user"]["role"] == "Comercial"


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(door: Door) -> None:
    mesh, admin = door.mesh, door.mesh.person("Admin")
    ana = door.account(role=Role.Admin)
    token = door.login().ok()["access_token"]
    mesh.call(f"PATCH /api/v1/users/{ana}", {"active": False}, as_=admin).ok()
    mesh.call("POST /api/v1/users", DRAFT, as_=token).refused(401)
    door.login().refused(401, "bad-credentials")
    mesh.call(f"PATCH /api/v1/users/{ana}", {"active": True}, as_=admin).ok()
    assert door.login().ok()


def test_the_last_admin_can_be_neither_demoted_nor_closed(mesh: Mesh) -> None:
    admin = mesh.person("Admin")
    for change in ({"role": "Diretor"}, {"active": False}, {"role": "Cliente", "client_company_id": str(uuid4())}):
        mesh.call(f"PATCH /api/v1/users/{admin.id}", change, as_=admin).refused(409, "last-admin")
    mesh.person("Admin")
    mesh.call(f"PATCH /api/v1/users/{admin.id}", {"role": "Diretor"}, as_=admin).ok()


def test_a_new_name_ends_no_sign_in(door: Door) -> None:
    ana = door.account()
    pair = door.login().ok()
    door.mesh.call(f"PATCH /api/v1/users/{ana}", {"name": "Ana Luíza"}, as_=door.mesh.person("Admin")).ok()
    assert door.refresh(pair["refresh_token"]).ok()["user"]["name"] == "Ana Luíza"


def test_an_edit_over_a_newer_account_is_refused(mesh: Mesh) -> None:
    admin, ana = mesh.person("Admin"), mesh.person("Comercial")
    read = mesh.call(f"GET /api/v1/users/{ana.id}", as_=admin)
    mesh.call(f"PATCH /api/v1/users/{ana.id}", {"name": "Ana"}, as_=admin).ok()
    stale = {"If-Match": read.headers["ETag"]}
    mesh.call(f"PATCH /api/v1/users/{ana.id}", {"name": "Bia"}, as_=admin, headers=stale).refused(412)


def test_a_client_can_move_to_another_company_and_not_to_none(mesh: Mesh) -> None:
    admin, client = mesh.person("Admin"), mesh.person("Cliente", client_company_id=uuid4())
    company = str(uuid4())
    moved = mesh.call(f"PATCH /api/v1/users/{client.id}", {"client_company_id": company}, as_=admin).ok()
    assert moved["client_company_id"] == company
    mesh.call(f"PATCH /api/v1/users/{client.id}", {"client_company_id": None}, as_=admin).refused(422)
    became = {"role": "Comercial", "client_company_id": None}
    assert mesh.call(f"PATCH /api/v1/users/{client.id}", became, as_=admin).ok()["role"] == "Comercial"


def test_every_change_of_an_account_is_audited_without_its_password(door: Door) -> None:
    admin, ana = door.mesh.person("Admin"), door.account()
    door.mesh.call(f"PATCH /api/v1/users/{ana}", {"role": "Diretor"}, as_=admin).ok()
    door.mesh.call(f"PUT /api/v1/users/{ana}/password", {"password": "outra bem longa"}, as_=admin).ok()
    rows = door.mesh.rows("select * from mesh.audit where row_id = :id and op = 'update' order by id", id=ana)
    assert rows[0]["changes"]["role"] == ["Comercial", "Diretor"]
    assert all(row["actor_id"] == admin.id for row in rows)
    assert rows[-1]["changes"]["password_hash"] == ["***", "***"]
    assert "$2b$" not in str(door.mesh.rows("select * from mesh.audit where row_id = :id", id=ana))


# -- passwords


def test_a_person_changes_their_password_and_every_other_sign_in_ends(door: Door) -> None:
    door.account()
    phone, laptop = door.login().ok(), door.login().ok()
    door.mesh.advance(seconds=1)
    change = {"current_password": PASSWORD, "new_password": "outra bem comprida"}
    kept = door.mesh.call("PUT /api/v1/auth/password", change, as_=laptop["access_token"]).ok()
    door.refresh(phone["refresh_token"]).refused(401)
    door.refresh(laptop["refresh_token"]).refused(401)
    assert door.refresh(kept["refresh_token"]).ok()
    door.login().refused(401)
    assert door.login(password="outra bem comprida").ok()


def test_after_a_new_password_older_tokens_decide_nothing(door: Door) -> None:
    door.account(role=Role.Admin)
    stolen = door.login().ok()["access_token"]
    door.mesh.advance(seconds=1)
    own = door.login().ok()["access_token"]
    door.mesh.advance(seconds=1)
    change = {"current_password": PASSWORD, "new_password": "outra bem comprida"}
    kept = door.mesh.call("PUT /api/v1/auth/password", change, as_=own).ok()
    door.mesh.call("POST /api/v1/users", DRAFT, as_=stolen).refused(401)
    door.mesh.call("POST /api/v1/users", DRAFT, as_=kept["access_token"]).ok()


def test_the_current_password_has_to_be_right_and_cannot_be_guessed_at_leisure(door: Door) -> None:
    door.account()
    token = door.login().ok()["access_token"]
    change = {"current_password": "não é esta mesmo", "new_password": "outra bem comprida"}
    for _ in range(5):
        problem = door.mesh.call("PUT /api/v1/auth/password", change, as_=token).refused(422)
        assert problem["errors"][0]["field"] == "current_password"
    right = {**change, "current_password": PASSWORD}
    door.mesh.call("PUT /api/v1/auth/password", right, as_=token).refused(429)
    assert door.login().ok()


def test_a_client_changes_their_own_password_too(door: Door) -> None:
    door.account("cliente@acme.test", Role.Cliente, uuid4())
    token = door.login("cliente@acme.test").ok()["access_token"]
    change = {"current_password": PASSWORD, "new_password": "outra bem comprida"}
    door.mesh.call("PUT /api/v1/auth/password", change, as_=token).ok()


def test_a_password_set_by_an_admin_ends_every_sign_in(door: Door) -> None:
    ana = door.account()
    pair = door.login().ok()
    door.mesh.advance(seconds=1)
    admin = door.mesh.person("Admin")
    door.mesh.call(f"PUT /api/v1/users/{ana}/password", {"password": "redefinida agora"}, as_=admin).ok()
    door.refresh(pair["refresh_token"]).refused(401)
    assert door.login(password="redefinida agora").ok()
