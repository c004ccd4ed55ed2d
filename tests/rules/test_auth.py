"""Accounts: who stays Admin, who belongs to a company, what ends a sign-in."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from somos.kernel.refusals import NotAllowed, NotValid
from somos.modules.auth.rules import (
    Standing,
    check_change,
    check_scopes,
    check_standing,
    ends_sessions,
)
from somos.policy.actions import ACTIONS
from somos.policy.ended_sessions import is_over
from somos.policy.roles import HUMAN_ROLES, Role

COMPANY = uuid4()
ADMIN = Standing(Role.Admin, True, None)


def standing(role: Role, active: bool = True) -> Standing:
    return Standing(role, active, COMPANY if role is Role.Cliente else None)


standings = st.builds(standing, st.sampled_from(HUMAN_ROLES), st.booleans())


@given(standings, standings, st.integers(0, 3))
def test_the_house_never_loses_its_last_admin(before: Standing, after: Standing, others: int) -> None:
    is_admin = before.active and before.role is Role.Admin
    stays_admin = after.active and after.role is Role.Admin
    if is_admin and not stays_admin and others == 0:
        with pytest.raises(NotAllowed, match="último Admin"):
            check_change(before, after, other_admins=others)
    else:
        check_change(before, after, other_admins=others)


def test_the_last_admin_may_still_change_name_and_password() -> None:
    check_change(ADMIN, ADMIN, other_admins=0)
    assert not ends_sessions(ADMIN, ADMIN)


def test_a_client_belongs_to_a_company_and_nobody_else_does() -> None:
    with pytest.raises(NotValid, match="ligado a uma empresa"):
        check_standing(Standing(Role.Cliente, True, None))
    with pytest.raises(NotValid, match="Só clientes"):
        check_standing(Standing(Role.Diretor, True, COMPANY))


@pytest.mark.parametrize(
    "after",
    [standing(Role.Diretor), standing(Role.Admin, active=False), standing(Role.Cliente)],
    ids=["demoted", "closed", "made a client"],
)
def test_whatever_changes_what_somebody_may_do_ends_their_sign_ins(after: Standing) -> None:
    assert ends_sessions(ADMIN, after)


def test_what_began_before_the_end_is_over_and_what_begins_with_it_is_not() -> None:
    end = datetime(2026, 11, 23, 13, 0, 0, 123_456, tzinfo=UTC)
    assert is_over(end - timedelta(milliseconds=2), end)
    assert not is_over(datetime.fromtimestamp(end.timestamp(), UTC), end)
    assert not is_over(end + timedelta(seconds=1), end)
    assert not is_over(end, None)


def test_a_key_cannot_be_given_an_action_or_what_agents_may_not() -> None:
    check_scopes(["hunter:write", "crm:read"])
    for scope in [*ACTIONS, "crm:write", "finance:read", "anyone", "*", ""]:
        with pytest.raises(NotValid, match="não pode receber"):
            check_scopes(["hunter:read", scope])
