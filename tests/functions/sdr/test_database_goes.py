"""PostgreSQL goes away in the middle of a send: what is known is not forgotten, what did not happen is not feared."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from somos.modules.sdr.actions import transmissions
from somos.ports.whatsapp import Whatsapp
from tests.functions.sdr.conftest import Desk
from tests.functions.sdr.crashing import Dying

pytestmark = pytest.mark.committed


def cut_whoever_holds_a_person(desk: Desk) -> None:
    """End the connection under which a send is guarded."""
    assert desk.mesh.rows(
        "select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database "
        "where l.locktype = 'advisory' and d.datname = current_database() and l.pid <> pg_backend_pid()"
    )


class Cutting(Dying):
    """The connection that guards the send ends while the provider is being called."""

    desk: Desk

    def _do(self, work: Any) -> Any:
        done = super()._do(work)
        cut_whoever_holds_a_person(self.desk)
        return done


def test_a_send_whose_guard_was_cut_off_after_the_answer_is_sent(busy_desk: Desk):
    desk = busy_desk
    wiring = desk.mesh.runtime.wiring
    port = Cutting(wiring.port(Whatsapp))
    port.desk = desk
    wiring._built[Whatsapp] = port
    message = desk.approved()
    desk.mesh.drain(tolerate=True)
    wiring._built.clear()
    assert desk.message(message["id"])["state"] == "sent"
    assert port.calls == 1


def test_a_send_that_was_cut_off_before_the_call_is_made_again(busy_desk: Desk, monkeypatch: pytest.MonkeyPatch):
    desk = busy_desk
    asked: list[int] = []

    def cut(db: Session, *arguments: Any) -> Any:
        asked.append(1)
        if len(asked) == 1:
            db.execute(text("select pg_terminate_backend(pg_backend_pid())"))
        return real(db, *arguments)

    real = transmissions.last_refusals
    monkeypatch.setattr(transmissions, "last_refusals", cut)
    message = desk.approved()
    desk.mesh.drain(tolerate=True)
    desk.mesh.advance(minutes=5)
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left()) == 1
