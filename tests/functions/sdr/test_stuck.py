"""A message that has been leaving for long: only what may have left is left to a person."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from tests.functions.sdr.conftest import Desk

STEP = "sdr.message_claimed"


def claimed(desk: Desk) -> Any:
    """Taken for sending, by a worker that does nothing more."""
    message = desk.approved()
    desk.only("sdr.message_approved")
    assert desk.message(message["id"])["state"] == "sending"
    return message


def looked_for(desk: Desk) -> None:
    """Hours later, when the timer looks for what nobody can tell of; the sending step itself is still not reached."""
    desk.mesh.time += timedelta(hours=3)
    desk.mesh.time -= timedelta(minutes=desk.mesh.time.minute % 10)
    desk.mesh.tick()
    desk.only("timer.sdr-every-unknown-messages")


def test_a_message_whose_step_waits_for_a_worker_leaves_when_there_is_one(desk: Desk):
    message = claimed(desk)
    looked_for(desk)
    assert desk.message(message["id"])["state"] == "sending"
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left()) == 1


def test_an_event_that_nobody_fanned_out_yet_waits_too(desk: Desk):
    message = claimed(desk)
    desk.sql("delete from mesh.deliveries where type = :type", type=STEP)
    desk.sql("update mesh.outbox set fanned_at = null where type = :type", type=STEP)
    desk.mesh.time += timedelta(hours=3)
    with desk.mesh.db() as db:
        from somos.modules.sdr.queries.messages import stuck_messages

        assert stuck_messages(db, desk.mesh.time).all == ()
    assert desk.message(message["id"])["state"] == "sending"


def test_a_step_that_the_mesh_gave_up_before_it_called_begins_again(desk: Desk):
    message = claimed(desk)
    desk.sql("update mesh.deliveries set state = 'dead', dead_at = :now where type = :type",
             now=desk.mesh.time, type=STEP)  # fmt: skip
    looked_for(desk)
    assert desk.message(message["id"])["state"] in ("approved", "queued")
    desk.mesh.drain()
    assert desk.message(message["id"])["state"] == "sent"
    assert len(desk.left()) == 1


@pytest.mark.parametrize("state", ["dead", "gone"])
def test_what_may_have_left_waits_for_a_person(desk: Desk, state: str):
    message = claimed(desk)
    desk.sql(
        "insert into mesh.effects (delivery_id, name, operation, state, arguments, lease_until, started_at) "
        "select id, 'send', 'Gate.send_whatsapp', 'started', '{}', :now, :now from mesh.deliveries where type = :type",
        now=desk.mesh.time, type=STEP,
    )  # fmt: skip
    if state == "gone":
        desk.sql("delete from mesh.deliveries where type = :type", type=STEP)
    else:
        desk.sql("update mesh.deliveries set state = 'dead', dead_at = :now where type = :type",
                 now=desk.mesh.time, type=STEP)  # fmt: skip
    looked_for(desk)
    assert desk.message(message["id"])["state"] == "unknown"
    assert desk.left() == []


def test_the_people_of_several_messages_are_locked_at_once(desk: Desk):
    for number in range(4):
        lead = desk.lead(phone=f"1198765430{number}", email=f"p{number}@acme.test")
        desk.approved(lead)
    desk.sql("update sdr.outreach_messages set state = 'sending', tries = 1, left_at = :now", now=desk.mesh.time)
    locked: list[set[Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "sdr.person:" in statement:
            locked.append(set(parameters[0]))

    engine = desk.mesh.runtime.engine
    event.listen(engine, "before_cursor_execute", note)
    looked_for(desk)
    event.remove(engine, "before_cursor_execute", note)
    assert [len(messages) for messages in locked] == [4]
