"""Refresh tokens on a real server: rotated at each use, a copy ends the family, nothing is kept in the clear."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis import Redis

from somos.policy.limits import Limit
from somos.policy.sessions import FAMILY_TTL, REFRESH_TTL, Issued, RefreshRefused, RefreshReused, Sessions

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
ANA = uuid4()


@pytest.fixture
def server(redis_url: str) -> Iterator[Redis]:
    client = Redis.from_url(redis_url)
    client.flushdb()
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def sessions(server: Redis) -> Sessions:
    return Sessions(server)


def test_a_token_is_exchanged_for_the_next_one_of_the_same_sign_in(sessions: Sessions) -> None:
    first = sessions.open(ANA, NOW)
    second = sessions.rotate(first.token, NOW + timedelta(minutes=15))
    assert (second.user_id, second.session_id, second.born) == (ANA, first.session_id, NOW)
    assert second.token != first.token
    assert sessions.rotate(second.token, NOW + timedelta(minutes=30)).user_id == ANA


def test_a_token_used_twice_ends_the_whole_family(sessions: Sessions) -> None:
    first = sessions.open(ANA, NOW)
    second = sessions.rotate(first.token, NOW)
    with pytest.raises(RefreshReused) as caught:
        sessions.rotate(first.token, NOW)
    assert (caught.value.user_id, caught.value.session_id) == (ANA, first.session_id)
    for token in (first.token, second.token):
        with pytest.raises(RefreshRefused, match="ended"):
            sessions.rotate(token, NOW)


def test_a_family_that_ended_leaves_the_persons_other_devices_alone(sessions: Sessions) -> None:
    phone, laptop = sessions.open(ANA, NOW), sessions.open(ANA, NOW)
    sessions.rotate(phone.token, NOW)
    with pytest.raises(RefreshReused):
        sessions.rotate(phone.token, NOW)
    assert sessions.rotate(laptop.token, NOW).session_id == laptop.session_id


def test_of_many_who_present_the_same_token_at_once_exactly_one_is_given_the_next(sessions: Sessions) -> None:
    token = sessions.open(ANA, NOW).token

    def try_it(_: int) -> Issued | None:
        try:
            return sessions.rotate(token, NOW)
        except RefreshRefused:
            return None

    with ThreadPoolExecutor(8) as pool:
        given = [issued for issued in pool.map(try_it, range(24)) if issued]
    assert len(given) == 1
    with pytest.raises(RefreshRefused, match="ended"):
        sessions.rotate(given[0].token, NOW)


def test_a_token_unused_for_seven_days_is_over(sessions: Sessions) -> None:
    kept, late = sessions.open(ANA, NOW), sessions.open(ANA, NOW)
    assert sessions.rotate(kept.token, NOW + REFRESH_TTL - timedelta(seconds=1))
    with pytest.raises(RefreshRefused, match="expired"):
        sessions.rotate(late.token, NOW + REFRESH_TTL)


def test_a_sign_in_ends_after_thirty_days_however_often_it_is_renewed(sessions: Sessions) -> None:
    issued, now = sessions.open(ANA, NOW), NOW
    while now + timedelta(days=6) < NOW + FAMILY_TTL:
        now += timedelta(days=6)
        issued = sessions.rotate(issued.token, now)
    with pytest.raises(RefreshRefused, match="expired"):
        sessions.rotate(issued.token, NOW + FAMILY_TTL)


def test_signing_out_ends_the_family_by_any_of_its_tokens(sessions: Sessions) -> None:
    first = sessions.open(ANA, NOW)
    second = sessions.rotate(first.token, NOW)
    sessions.end(first.token)
    assert sessions.of(first.token) == (ANA, first.session_id), "who ends it a second time is still told whose it was"
    with pytest.raises(RefreshRefused):
        sessions.rotate(second.token, NOW)
    sessions.end("rt_never-issued")
    assert sessions.of("rt_never-issued") is None


def test_all_sign_ins_of_a_person_end_at_once_and_nobody_elses(sessions: Sessions) -> None:
    mine, other = [sessions.open(ANA, NOW) for _ in range(3)], sessions.open(uuid4(), NOW)
    assert sessions.end_all(ANA) == 3
    for issued in mine:
        with pytest.raises(RefreshRefused):
            sessions.rotate(issued.token, NOW)
    assert sessions.rotate(other.token, NOW)
    assert sessions.end_all(UUID(int=1)) == 0


def test_when_redis_forgets_people_sign_in_again_and_nothing_breaks(sessions: Sessions, server: Redis) -> None:
    token = sessions.open(ANA, NOW).token
    server.flushdb()
    with pytest.raises(RefreshRefused, match="unknown"):
        sessions.rotate(token, NOW)
    assert sessions.end_all(ANA) == 0
    assert sessions.rotate(sessions.open(ANA, NOW).token, NOW)


def test_redis_never_holds_a_token_that_opens_something_and_forgets_all_in_time(
    sessions: Sessions, server: Redis
) -> None:
    first = sessions.open(ANA, NOW)
    second = sessions.rotate(first.token, NOW)
    for key in server.scan_iter():
        kept = key + repr(server.hgetall(key) if server.type(key) == b"hash" else server.smembers(key)).encode()
        assert first.token.encode() not in kept
        assert second.token.encode() not in kept
        assert 0 < server.ttl(key) <= FAMILY_TTL.total_seconds() + 86_400


def test_a_token_has_256_random_bits(sessions: Sessions) -> None:
    tokens = {sessions.open(ANA, NOW).token for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) == len("rt_") + 43 for token in tokens)


LIMIT = Limit("test", 5, 60)


def test_a_limit_lets_five_pass_and_then_says_how_long_to_wait(server: Redis) -> None:
    assert [LIMIT.hit(server, "ana", NOW) for _ in range(5)] == [0] * 5
    assert LIMIT.hit(server, "ana", NOW + timedelta(seconds=10)) == 50
    assert LIMIT.hit(server, "bia", NOW) == 0


def test_a_limit_is_exact_in_every_window_not_only_in_round_minutes(server: Redis) -> None:
    passed = [at for at in range(0, 240, 3) if LIMIT.hit(server, "ana", NOW + timedelta(seconds=at)) == 0]
    assert all(sum(start <= at < start + 60 for at in passed) <= 5 for start in range(240))
    assert len(passed) == 20


def test_a_limit_holds_for_many_at_once(server: Redis) -> None:
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: LIMIT.hit(server, "ana", NOW), range(40)))
    assert waits.count(0) == 5
