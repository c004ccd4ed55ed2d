"""Who may do what: actions belong to people, keys to their scopes, and unknown names to nobody."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.policy.actions import ACTIONS
from somos.policy.grants import (
    UnknownPermission,
    allows,
    check_permission,
    is_fresh_required,
    key_scopes,
    known_permissions,
    roles_allowed,
)
from somos.policy.matrix import MODULES, Reach, reach
from somos.policy.principals import ANONYMOUS, SYSTEM, Kind, Principal
from somos.policy.roles import HUMAN_ROLES, SEED_ROLES, Role

COMPANY = uuid4()


def person(role: Role) -> Principal:
    return Principal(uuid4(), role, Kind.user, "Ana", "sessão", COMPANY if role is Role.Cliente else None)


def key(*scopes: str) -> Principal:
    return Principal(uuid4(), Role.Agente_IA, Kind.api_key, "n8n", scopes=frozenset(scopes))


AGENT = Principal(uuid4(), Role.Agente_IA, Kind.agent, "Redator")


@pytest.mark.parametrize("action", ACTIONS)
def test_agents_keys_the_mesh_and_strangers_never_hold_an_action(action: str) -> None:
    for program in (AGENT, key(*key_scopes()), key(*known_permissions()), SYSTEM, ANONYMOUS):
        assert not allows(program, action)
    assert Role.Agente_IA not in ACTIONS[action]


@pytest.mark.parametrize("kind", [Kind.api_key, Kind.agent])
@pytest.mark.parametrize("role", HUMAN_ROLES)
def test_a_program_cannot_be_given_a_role_that_decides(kind: Kind, role: Role) -> None:
    with pytest.raises(ValueError, match="cannot have the role"):
        Principal(uuid4(), role, kind, "x", scopes=frozenset())


def test_a_person_cannot_be_the_system_or_an_agent() -> None:
    for role in (Role.system, Role.anonymous, Role.Agente_IA):
        with pytest.raises(ValueError, match="cannot have the role"):
            Principal(uuid4(), role, Kind.user, "x")


@pytest.mark.parametrize(
    ("action", "holders"),
    [
        ("outreach.approve", {Role.Admin, Role.Diretor}),
        ("conversation.reply", {Role.Admin, Role.Diretor, Role.Comercial}),
        ("content.approve", {Role.Admin, Role.Diretor, Role.Cliente}),
        ("budget.accept", {Role.Admin, Role.Diretor, Role.Cliente}),
        ("contract.sign", {Role.Admin, Role.Diretor, Role.Cliente}),
        ("payment.approve", {Role.Admin}),
        ("user.manage", {Role.Admin}),
        ("deal.reopen_won", {Role.Admin, Role.Diretor}),
        ("dead.replay", {Role.Admin}),
    ],
)
def test_an_action_is_held_by_exactly_these_roles(action: str, holders: set[Role]) -> None:
    assert {role for role in HUMAN_ROLES if allows(person(role), action)} == holders
    assert set(roles_allowed(action)) == holders


@given(st.sampled_from(HUMAN_ROLES), st.sampled_from(MODULES), st.sampled_from(["read", "write"]))
def test_a_person_may_in_a_module_what_the_matrix_says(role: Role, module: str, verb: str) -> None:
    allowed = reach(role, module, verb) is not Reach.none  # type: ignore[arg-type]
    assert allows(person(role), f"{module}:{verb}") is allowed
    assert (role in roles_allowed(f"{module}:{verb}")) is allowed


@given(st.sets(st.sampled_from(known_permissions())), st.sampled_from(known_permissions()))
def test_a_key_may_only_what_both_its_scopes_and_the_matrix_give(scopes: set[str], permission: str) -> None:
    if not allows(key(*scopes), permission) or permission in ("anyone", "signed-in"):
        return
    module, verb = permission.split(":")
    assert permission in scopes or f"{module}:write" in scopes
    assert reach(Role.Agente_IA, module, verb) is not Reach.none  # type: ignore[arg-type]


def test_a_scope_to_write_includes_reading_and_not_the_other_way_round() -> None:
    assert allows(key("hunter:write"), "hunter:read")
    assert not allows(key("hunter:read"), "hunter:write")
    assert not allows(key("hunter:write"), "sdr:read")


def test_a_key_without_scopes_may_nothing_and_one_with_unknown_scope_list_cannot_exist() -> None:
    assert not any(allows(key(), f"{module}:read") for module in MODULES)
    with pytest.raises(ValueError, match="always has scopes"):
        replace(key(), scopes=None)


def test_a_key_can_be_given_only_what_agents_may_and_no_action() -> None:
    assert "hunter:write" in key_scopes()
    assert "crm:read" in key_scopes()
    assert "crm:write" not in key_scopes()
    assert not set(key_scopes()) & set(ACTIONS)


def test_a_stranger_may_only_what_anyone_may() -> None:
    assert [name for name in known_permissions() if allows(ANONYMOUS, name)] == ["anyone"]


@pytest.mark.parametrize(
    "name", ["", "crm", "crm:", "crm:delete", "crm:read ", "warehouse:read", "outreach.send", "Admin"]
)
def test_an_unknown_permission_is_an_error_not_a_refusal(name: str) -> None:
    with pytest.raises(UnknownPermission, match="unknown permission"):
        allows(person(Role.Admin), name)
    for ask in (check_permission, is_fresh_required, roles_allowed):
        with pytest.raises(UnknownPermission):
            ask(name)


# Nobody writes there: what other modules state does.
FED_BY_EVENTS = {"relations:write"}


def test_every_known_permission_is_one_and_has_somebody_who_holds_it() -> None:
    for name in known_permissions():
        check_permission(name)
        assert roles_allowed(name) or name in FED_BY_EVENTS


def test_decisions_money_and_sends_ask_the_account_again() -> None:
    assert all(is_fresh_required(action) for action in ACTIONS)
    for permission in ("finance:write", "sdr:write", "social:write", "auth:write", "contracts:write"):
        assert is_fresh_required(permission)
    for permission in ("crm:read", "crm:write", "hunter:write", "finance:read", "signed-in", "anyone"):
        assert not is_fresh_required(permission)


def test_the_admin_may_everything_in_every_module() -> None:
    permissions = {f"{module}:{verb}" for module in MODULES for verb in ("read", "write")}
    assert {name for name in permissions if not allows(person(Role.Admin), name)} == FED_BY_EVENTS
    assert set(SEED_ROLES) - {Role.Agente_IA} == set(HUMAN_ROLES)
