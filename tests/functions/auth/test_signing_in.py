"""Login, refresh, logout, me: what gets in, what does not, and what nobody can tell from outside."""

from uuid import uuid4

import pytest

from somos.policy.grants import allows
from somos.policy.roles import Role
from tests.functions.auth.conftest import PASSWORD, Door


def test_a_person_signs_in_and_is_known(door: Door) -> None:
    ana = door.account()
    pair = door.login().ok()
    assert pair["token_type"] == "Bearer"
    assert pair["user"]["id"] == str(ana)
    me = door.me(pair["access_token"]).ok()
    assert (me["id"], me["role"], me["kind"], me["email"]) == (str(ana), "Comercial", "user", "ana@somos.test")
    assert "crm:write" in me["permissions"]
    assert "hunter:write" not in me["permissions"]
    assert "outreach.approve" not in me["permissions"]


def test_the_address_may_be_typed_in_capitals_and_with_spaces(door: Door) -> None:
    door.account()
    assert door.login(" ANA@Somos.Test ").ok()


def test_the_last_sign_in_is_kept_and_makes_nobodys_edit_stale(door: Door) -> None:
    door.account()
    before = door.login().ok()["user"]
    door.mesh.advance(hours=1)
    after = door.login().ok()["user"]
    assert after["last_login_at"] > before["last_login_at"]
    assert after["version"] == before["version"]


def test_wrong_password_unknown_address_and_closed_account_look_the_same(door: Door) -> None:
    door.account()
    door.account("fechada@somos.test")
    with door.mesh.db() as db:
        from somos.modules.auth.queries import by_email

        closed = by_email(db, "fechada@somos.test")
        assert closed is not None
        closed.active = False
    wrong, unknown = door.login(password="outra senha longa"), door.login("zeca@somos.test")
    answers = [wrong, unknown, door.login("fechada@somos.test")]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json["type"] == "/problems/bad-credentials"


def test_an_account_without_a_password_cannot_be_entered(door: Door) -> None:
    bia = door.mesh.person("Diretor")
    for password in ("!", "", "nobody"):
        door.login(f"{bia.id}@somos.test", password).refused(401, "bad-credentials")


def at(address: str) -> dict[str, str]:
    return {"X-Real-Ip": address}


@pytest.mark.any_day
def test_after_five_tries_in_a_minute_from_one_place_the_account_has_to_wait_there_whatever_the_password(
    door: Door,
) -> None:
    door.account()
    for _ in range(5):
        door.login(password="tentativa errada").refused(401)
    refused = door.login()
    refused.refused(429)
    assert int(refused.headers["Retry-After"]) == 60
    door.mesh.advance(seconds=61)
    door.login().ok()


def test_guessing_at_many_accounts_from_one_place_has_to_wait_too(door: Door) -> None:
    here, there = {"X-Real-Ip": "203.0.113.7"}, {"X-Real-Ip": "203.0.113.8"}
    for number in range(20):
        door.login(f"pessoa{number}@somos.test", headers=here).refused(401)
    door.login("outra@somos.test", headers=here).refused(429)
    door.login("outra@somos.test", headers=there).refused(401)


def test_who_guesses_from_one_address_does_not_lock_the_owner_out_at_another(door: Door) -> None:
    door.account()
    for _ in range(5):
        door.login(password="tentativa errada", headers=at("203.0.113.7")).refused(401)
    door.login(headers=at("203.0.113.7")).refused(429)
    door.login(headers=at("198.51.100.4")).ok()


def guess_from_everywhere(door: Door, times: int) -> list[int]:
    return [door.login(password="tentativa errada", headers=at(f"203.0.113.{n}")).status for n in range(times)]


def test_guessing_at_one_account_from_many_places_is_slowed_down_but_not_where_its_owner_signed_in_before(
    door: Door,
) -> None:
    door.account()
    door.login(headers=at("198.51.100.4")).ok()
    statuses = guess_from_everywhere(door, 40)
    assert statuses.count(401) < 20
    slowed = door.login(headers=at("192.0.2.9"))
    slowed.refused(429)
    assert 0 < int(slowed.headers["Retry-After"]) <= 600
    door.login(headers=at("198.51.100.4")).ok()
    door.mesh.advance(seconds=601)
    door.login(headers=at("192.0.2.9")).ok()


def test_a_line_of_ipv6_is_one_place_however_many_addresses_it_has(door: Door) -> None:
    door.account()
    for n in range(5):
        door.login(password="tentativa errada", headers=at(f"2001:db8:1:2::{n}")).refused(401)
    door.login(headers=at("2001:db8:1:2:ffff::1")).refused(429)
    door.login(headers=at("2001:db8:1:3::1")).ok()


def test_while_nobody_can_count_nothing_is_tried(door: Door) -> None:
    door.account()
    door.mesh.runtime.redis = door.mesh.runtime.redis.from_url("redis://127.0.0.1:1/0")
    for password in (PASSWORD, "tentativa errada"):
        door.login(password=password).refused(503)


def test_redis_does_not_learn_who_tries_to_sign_in(door: Door) -> None:
    door.login("segredo@somos.test").refused(401)
    assert not [key for key in door.mesh.runtime.redis.scan_iter() if b"segredo" in key]


def test_a_hash_made_with_less_work_is_made_anew_at_login(door: Door) -> None:
    with door.mesh.db() as db:
        from somos.modules.auth.actions.users import ensure_account

        ensure_account(db, email="velha@somos.test", name="V", role=Role.Diretor, password=PASSWORD, cost=4)
    stronger = door.mesh.runtime.settings.bcrypt_cost + 1
    object.__setattr__(door.mesh.runtime.settings, "bcrypt_cost", stronger)
    try:
        door.login("velha@somos.test").ok()
        kept = door.mesh.one("select password_hash from auth.users where email = 'velha@somos.test'")
        assert kept.startswith(f"$2b$0{stronger}$")
        door.login("velha@somos.test").ok()
    finally:
        object.__setattr__(door.mesh.runtime.settings, "bcrypt_cost", stronger - 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "ana@somos.test"},
        {"email": "ana@somos.test", "password": 1},
        {"email": "ana@somos.test", "password": "x" * 201},
        {"email": "ana@somos.test", "password": PASSWORD, "role": "Admin"},
    ],
)
def test_what_is_not_a_login_is_said_to_be_wrong_without_repeating_it(door: Door, body: dict[str, object]) -> None:
    answer = door.mesh.call("POST /api/v1/auth/login", body)
    answer.refused(422)
    assert PASSWORD not in answer.text


def test_nothing_that_opens_a_door_is_stored_for_an_idempotency_key(door: Door) -> None:
    door.account()
    once = {"Idempotency-Key": "mesma"}
    first, second = door.login(headers=once).ok(), door.login(headers=once).ok()
    assert first["refresh_token"] != second["refresh_token"]
    assert door.mesh.one("select count(*) from mesh.idempotency") == 0


# -- refresh


@pytest.mark.any_day
def test_a_refresh_gives_the_next_pair_with_the_role_of_today(door: Door) -> None:
    door.account()
    pair = door.login().ok()
    with door.mesh.db() as db:
        from somos.modules.auth.queries import by_email

        user = by_email(db, "ana@somos.test")
        assert user is not None
        user.role = "Diretor"
    door.mesh.advance(minutes=20)
    door.me(pair["access_token"]).refused(401)
    fresh = door.refresh(pair["refresh_token"]).ok()
    assert door.me(fresh["access_token"]).ok()["role"] == "Diretor"


def test_a_refresh_token_used_twice_ends_the_sign_in(door: Door) -> None:
    door.account()
    first = door.login().ok()["refresh_token"]
    second = door.refresh(first).ok()["refresh_token"]
    door.refresh(first).refused(401, "session-over")
    door.refresh(second).refused(401, "session-over")
    assert door.login().ok()


def test_a_closed_account_gets_no_next_pair(door: Door) -> None:
    door.account()
    token = door.login().ok()["refresh_token"]
    with door.mesh.db() as db:
        from somos.modules.auth.queries import by_email

        user = by_email(db, "ana@somos.test")
        assert user is not None
        user.active = False
    door.refresh(token).refused(401, "session-over")


@pytest.mark.any_day
def test_an_ended_sign_in_stays_ended_when_redis_remembers_it(door: Door) -> None:
    ana = door.account()
    token = door.login().ok()["refresh_token"]
    door.mesh.advance(seconds=1)
    with door.mesh.db() as db:
        from somos.modules.auth.tables import User

        user = db.get(User, ana)
        assert user is not None
        user.sessions_valid_from = door.mesh.time
    door.refresh(token).refused(401, "session-over")


@pytest.mark.parametrize("token", ["rt_", "rt_inventado", "x" * 200])
def test_an_invented_refresh_token_buys_nothing(door: Door, token: str) -> None:
    door.refresh(token).refused(401, "session-over")


@pytest.mark.any_day
def test_seven_days_without_use_mean_signing_in_again(door: Door) -> None:
    door.account()
    token = door.login().ok()["refresh_token"]
    door.mesh.advance(days=7)
    door.refresh(token).refused(401)


# -- logout


def test_signing_out_ends_this_sign_in_and_no_other(door: Door) -> None:
    door.account()
    phone, laptop = door.login().ok(), door.login().ok()
    out = door.mesh.call("POST /api/v1/auth/logout", {"refresh_token": phone["refresh_token"]})
    assert out.status == 204
    door.refresh(phone["refresh_token"]).refused(401)
    assert door.refresh(laptop["refresh_token"]).ok()


def test_signing_out_twice_or_of_nothing_is_no_error(door: Door) -> None:
    for token in ("rt_inventado", "rt_inventado"):
        assert door.mesh.call("POST /api/v1/auth/logout", {"refresh_token": token}).status == 204


# -- me


def test_without_credentials_nobody_is_anybody(door: Door) -> None:
    for sent in (None, "Basic YW5hOmFuYQ==", "Bearer ", "Bearer x", "Bearer a.b.c"):
        answer = door.mesh.call("GET /api/v1/auth/me", headers={"Authorization": sent} if sent else {})
        answer.refused(401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", ["Admin", "Diretor", "Comercial", "Cliente"])
def test_each_role_is_told_exactly_what_it_may(door: Door, role: str) -> None:
    person = door.mesh.person(role, client_company_id=uuid4() if role == "Cliente" else None)
    told = door.me(person).ok()["permissions"]
    assert told == [name for name in told if allows(person.principal, name)]
    assert ("user.manage" in told) is (role == "Admin")
    assert ("crm:read" in told) is (role != "Cliente")


@pytest.mark.any_day
def test_a_token_ends_after_fifteen_minutes(door: Door) -> None:
    person = door.mesh.person("Diretor")
    door.mesh.advance(minutes=14, seconds=59)
    door.me(person).ok()
    door.mesh.advance(seconds=1)
    door.me(person).refused(401)
