"""Keys are locked in one order, whoever asks for them and however they are found."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from somos.mesh import locks

KIND = "test.person"
KEYS = ["c", "a", "d", "b", "A", "á"]
IN_ORDER = sorted(KEYS)
_FOUND = locks.finding(KIND, "select unnest(cast(:keys as text[])) as key")
_KEY_OF = "hashtextextended(:key, 0)"
_WAITS = text("""
select count(*) from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()
where l.locktype = 'advisory' and not l.granted
""")
_HELD = text(f"""
select exists (
    select from pg_locks l
    where l.locktype = 'advisory' and l.granted and l.pid = :pid
    and (l.classid::bigint << 32 | l.objid::bigint) = {_KEY_OF}
)
""")


def take(db: Session) -> None:
    locks.take(db, KIND, KEYS)


def find(db: Session) -> None:
    db.execute(_FOUND, {"keys": KEYS})


@pytest.mark.parametrize("lock", [take, find])
def test_whoever_waits_for_a_key_holds_those_before_it_and_none_after_it(
    engine: Engine, lock: Callable[[Session], None]
) -> None:
    pids: list[int] = []

    def wait() -> None:
        with Session(engine) as db:
            pids.append(int(db.scalar(text("select pg_backend_pid()")) or 0))
            lock(db)

    with engine.connect() as other:
        other.execute(text(f"select pg_advisory_xact_lock({_KEY_OF})"), {"key": f"{KIND}:{IN_ORDER[3]}"})
        waiting = threading.Thread(target=wait)
        waiting.start()
        while not other.scalar(_WAITS):
            pass
        held = [bool(other.scalar(_HELD, {"pid": pids[0], "key": f"{KIND}:{key}"})) for key in IN_ORDER]
        other.rollback()
    waiting.join(20)
    assert held == [True, True, True, False, False, False]
