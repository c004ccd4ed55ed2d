"""A sign-in that ends, ends at once: its access token reads nothing more, in whatever process it is shown."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from somos.mesh.dispatch import Application
from somos.mesh.ended_sessions import EndedSessionsCache
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime
from somos.policy.ended_sessions import KEY, LOOK_BACK, EndedSessions
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role
from tests.functions.auth.conftest import PASSWORD, Door
from tests.harness.mesh import Mesh


def sign_out(door: Door, refresh_token: str) -> None:
    assert door.mesh.call("POST /api/v1/auth/logout", {"refresh_token": refresh_token}).status == 204


def test_who_signed_out_reads_nothing_more_with_that_token_and_goes_on_elsewhere(door: Door) -> None:
    door.account()
    phone, laptop = door.login().ok(), door.login().ok()
    door.me(phone["access_token"]).ok()
    sign_out(door, phone["refresh_token"])
    refused = door.me(phone["access_token"])
    refused.refused(401)
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    door.me(laptop["access_token"]).ok()


def test_signing_out_ends_every_token_that_the_sign_in_ever_got(door: Door) -> None:
    door.account()
    first = door.login().ok()
    second = door.refresh(first["refresh_token"]).ok()
    sign_out(door, first["refresh_token"])
    for pair in (first, second):
        door.me(pair["access_token"]).refused(401)


def test_signing_out_again_because_the_answer_got_lost_is_no_less(door: Door) -> None:
    door.account()
    pair = door.login().ok()
    sign_out(door, pair["refresh_token"])
    with door.mesh.db() as db:  # as if the first had died before its commit
        from sqlalchemy import delete

        from somos.modules.auth.tables import EndedSession

        db.execute(delete(EndedSession))
    sign_out(door, pair["refresh_token"])
    door.me(pair["access_token"]).refused(401)


@pytest.mark.parametrize("change", [{"active": False}, {"role": "Diretor"}], ids=["closed", "another role"])
def test_whose_account_changes_reads_nothing_more_with_the_old_token(door: Door, change: dict[str, object]) -> None:
    ana = door.account()
    pair = door.login().ok()
    door.mesh.advance(seconds=1)
    door.mesh.call(f"PATCH /api/v1/users/{ana}", change, as_=door.mesh.person("Admin")).ok()
    door.me(pair["access_token"]).refused(401)


def test_a_new_password_ends_reading_everywhere_but_where_it_was_chosen(door: Door) -> None:
    door.account()
    phone, laptop = door.login().ok(), door.login().ok()
    door.mesh.advance(seconds=1)
    change = {"current_password": PASSWORD, "new_password": "outra bem comprida"}
    kept = door.mesh.call("PUT /api/v1/auth/password", change, as_=laptop["access_token"]).ok()
    for token in (phone["access_token"], laptop["access_token"]):
        door.me(token).refused(401)
    door.me(kept["access_token"]).ok()


def test_a_copied_refresh_token_ends_reading_for_both_who_hold_it(door: Door) -> None:
    door.account()
    first = door.login().ok()
    second = door.refresh(first["refresh_token"]).ok()
    door.refresh(first["refresh_token"]).refused(401, "session-over")
    for pair in (first, second):
        door.me(pair["access_token"]).refused(401)


def test_who_signed_out_decides_nothing_either_however_lately_the_process_looked(door: Door) -> None:
    door.account(role=Role.Admin)
    pair = door.login().ok()
    sign_out(door, pair["refresh_token"])
    door.mesh.runtime.ended = EndedSessionsCache(EndedSessions)  # a process that has not heard of it
    draft = {"email": "novo@somos.test", "name": "Novo", "role": "Comercial", "password": PASSWORD}
    door.mesh.call("POST /api/v1/users", draft, as_=pair["access_token"]).refused(401)


def test_what_redis_forgets_stays_ended(door: Door) -> None:
    door.account()
    pair = door.login().ok()
    sign_out(door, pair["refresh_token"])
    door.mesh.runtime.redis.flushdb()
    door.mesh.runtime.ended.invalidate()
    door.me(pair["access_token"]).refused(401)


def test_a_closed_account_is_out_while_redis_is_away(door: Door) -> None:
    ana = door.account()
    admin, token = door.mesh.person("Admin"), door.login().ok()["access_token"]
    door.mesh.advance(seconds=1)
    away = Runtime(door.mesh.runtime.settings).redis.from_url("redis://127.0.0.1:1/0")
    door.mesh.runtime.redis = away
    door.mesh.call(f"PATCH /api/v1/users/{ana}", {"active": False}, as_=admin).ok()
    door.me(token).refused(401)


def test_the_list_holds_only_what_a_token_could_still_open(door: Door) -> None:
    door.account()
    pair = door.login().ok()
    sign_out(door, pair["refresh_token"])
    assert door.mesh.runtime.redis.zcard(KEY) == 1
    door.mesh.time += LOOK_BACK + timedelta(days=1, seconds=1)
    again = door.login().ok()
    sign_out(door, again["refresh_token"])
    assert door.mesh.runtime.redis.zcard(KEY) == 1
    assert door.mesh.one("select count(*) from auth.ended_sessions") == 1


def test_another_process_refuses_within_a_second_and_asks_the_database_once_for_all_requests(committed: Mesh) -> None:
    door = Door(committed)
    door.account()
    pair = door.login().ok()
    seconds = [100.0]
    elsewhere = Runtime(committed.runtime.settings, engine=committed.runtime.engine, routes=Routes(()))
    elsewhere.ended = EndedSessionsCache(elsewhere._read_ended, lambda: seconds[0])
    there = Door(Mesh(elsewhere, committed.functions, committed.signer))
    there.mesh.app = Application(committed.functions, elsewhere)
    there.me(pair["access_token"]).ok()
    sign_out(door, pair["refresh_token"])

    asked: list[str] = []
    count = lambda *call: asked.append(call[2])  # noqa: E731
    event.listen(committed.runtime.engine, "before_cursor_execute", count)
    for _ in range(5):
        there.me(pair["access_token"])
    assert not [statement for statement in asked if "ended_sessions" in statement]
    seconds[0] += 1
    for _ in range(5):
        there.me(pair["access_token"]).refused(401)
    event.remove(committed.runtime.engine, "before_cursor_execute", count)
    assert len([statement for statement in asked if "ended_sessions" in statement]) == 1


def test_who_cannot_learn_what_ended_lets_nobody_in() -> None:
    def broken() -> EndedSessions:
        raise ConnectionError

    ended = EndedSessionsCache(broken)
    with pytest.raises(ConnectionError):
        ended.covers(Principal(UUID(int=1), Role.Diretor, Kind.user, "Ana", "s"))
