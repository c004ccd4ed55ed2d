"""What two people do at the same moment: with real commits and real locks."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from somos.modules.auth.tables import User
from somos.policy.passwords import hash_password
from somos.policy.roles import Role
from tests.functions.auth.conftest import PASSWORD, Door
from tests.harness.mesh import Mesh

pytestmark = pytest.mark.committed


def test_two_admins_who_demote_each_other_at_once_leave_one(committed: Mesh) -> None:
    one, two = committed.person("Admin"), committed.person("Admin")

    def demote(who: int) -> int:
        actor, other = ((one, two), (two, one))[who]
        return committed.call(f"PATCH /api/v1/users/{other.id}", {"role": "Diretor"}, as_=actor).status

    for _ in range(5):
        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(pool.map(demote, range(2)))
        assert statuses in ([200, 401], [200, 403], [200, 409]), "the slower one is refused, by right or by rule"
        assert committed.one("select count(*) from auth.users where role = 'Admin' and active") == 1
        with committed.db() as db:
            for person in (one, two):
                user = db.get(User, person.id)
                assert user is not None
                user.role, user.sessions_valid_from = "Admin", None


def test_the_same_address_opened_twice_at_once_is_one_account(committed: Mesh) -> None:
    admin = committed.person("Admin")
    draft = {"email": "ana@somos.test", "name": "Ana", "role": "Comercial", "password": PASSWORD}
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda _: committed.call("POST /api/v1/users", draft, as_=admin).status, range(4)))
    assert sorted(statuses) == [201, 409, 409, 409]


def test_a_login_with_the_old_password_loses_against_the_change_being_made(committed: Mesh) -> None:
    door = Door(committed)
    ana = door.account(role=Role.Diretor)
    with ThreadPoolExecutor(1) as pool:
        with committed.db() as db:
            user = db.get(User, ana, with_for_update=True)
            assert user is not None
            user.password_hash = hash_password("a nova, bem longa", 4)
            db.flush()
            login = pool.submit(partial(door.login, "ana@somos.test", PASSWORD))
            while not committed.one("select count(*) from pg_locks where not granted"):
                assert not login.done(), "it should wait for the change"
        login.result(timeout=30).refused(401, "bad-credentials")
    door.login(password="a nova, bem longa").ok()
