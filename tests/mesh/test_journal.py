"""Outside calls: intent before, outcome after, and nothing repeated blindly."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from somos.local.processes import wait_for
from somos.mesh import Later, Parked, clock, journal
from somos.mesh.context import DeliveryRef, Misuse
from somos.mesh.ids import uuid7
from somos.mesh.journal import Journal, Refusal, settle
from somos.mesh.leases import LEASE
from tests.harness.mesh import Mesh
from tests.mesh.toys.outside import NothingHappened, SaidNo, ToyPostman


def _journal(toys: Mesh, delivery: UUID | None = None) -> Journal:
    return Journal(toys.runtime.engine, delivery or uuid7(), timeout=30)


def test_a_settled_call_answers_from_the_journal(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    first = _journal(toys, delivery).once("tell", postman.tell, {"note": "a"})
    second = _journal(toys, delivery).once("tell", postman.tell, {"note": "a"})
    assert first == second
    assert len(postman.told) == 1


def test_two_names_of_one_delivery_are_two_calls(toys: Mesh, postman: ToyPostman) -> None:
    journal = _journal(toys)
    assert journal.once("a", postman.tell, {"note": "a"}) != journal.once("b", postman.tell, {"note": "a"})


def test_intent_is_committed_before_the_call(toys: Mesh, postman: ToyPostman) -> None:
    postman.trouble = [SystemExit()]
    with pytest.raises(SystemExit):
        _journal(toys).once("tell", postman.tell, {"note": "a"})
    assert toys.one("select state from mesh.effects") == "started"


def test_a_call_that_surely_did_not_happen_leaves_no_trace_and_is_made_again(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    postman.trouble = [NothingHappened()]
    with pytest.raises(NothingHappened):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    assert _journal(toys, delivery).once("shout", postman.shout, {"note": "a"}) == "recibo-a"


def test_a_second_attempt_waits_while_the_first_may_still_be_calling(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    postman.trouble = [SystemExit()]
    with pytest.raises(SystemExit):
        _journal(toys, delivery).once("tell", postman.tell, {"note": "a"})
    with pytest.raises(Later):
        _journal(toys, delivery).once("tell", postman.tell, {"note": "a"})


def test_an_unknown_outcome_of_a_parking_operation_waits_for_a_person_for_ever(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    postman.trouble, postman.late = [TimeoutError("no answer")], True
    with pytest.raises(Parked):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    toys.advance(hours=5)
    with pytest.raises(Parked):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    assert len(postman.told) == 1


@pytest.mark.any_day
def test_a_parking_operation_whose_process_died_is_parked_when_its_lease_ends(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    postman.trouble, postman.late = [SystemExit()], True
    with pytest.raises(SystemExit):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    toys.advance(minutes=5)
    with pytest.raises(Parked):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    assert len(postman.told) == 1


def test_a_lease_from_before_the_clock_was_set_back_is_over(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    postman.trouble, postman.late = [SystemExit()], True
    with pytest.raises(SystemExit):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    toys.advance(hours=-1)
    with pytest.raises(Parked):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    assert len(postman.told) == 1


def test_a_reconciling_operation_is_looked_up_before_it_is_repeated(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    postman.trouble, postman.late = [SystemExit()], True
    with pytest.raises(SystemExit):
        _journal(toys, delivery).once("book", postman.book, {"note": "a"})
    toys.advance(minutes=5)
    assert _journal(toys, delivery).once("book", postman.book, {"note": "a"}) == f"recibo-{delivery}-book"
    assert len(postman.told) == 1


def test_a_refusal_keeps_its_code(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()
    postman.trouble = [SaidNo("não")]
    with pytest.raises(SaidNo):
        _journal(toys, delivery).once("tell", postman.tell, {"note": "a"})
    with pytest.raises(Refusal) as met:
        _journal(toys, delivery).once("tell", postman.tell, {"note": "a"})
    assert met.value.code == "said-no"


def test_a_lease_is_short_so_that_a_dead_call_is_found_out_soon(toys: Mesh, postman: ToyPostman) -> None:
    postman.trouble = [SystemExit()]
    with pytest.raises(SystemExit):
        _journal(toys).once("tell", postman.tell, {"note": "a"})
    assert toys.one("select lease_until from mesh.effects") - clock.now() == LEASE


def test_a_lease_is_renewed_while_the_call_lasts_but_not_past_the_steps_timeout(
    toys: Mesh, postman: ToyPostman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal._leases, "_every", 0.01)
    ends: list[datetime] = []

    def look() -> None:
        begun = toys.time
        for later in (8, 16, 25):
            toys.time = begun + timedelta(seconds=later)
            until = begun + min(timedelta(seconds=later) + LEASE, timedelta(seconds=30))
            assert wait_for(lambda until=until: toys.one("select lease_until from mesh.effects") == until, 5)
            ends.append(until)

    postman.meanwhile = look
    _journal(toys).once("tell", postman.tell, {"note": "a"})
    assert len(ends) == 3


def test_whoever_lost_the_lease_cannot_undo_what_the_heir_wrote(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()

    def overtaken() -> None:
        postman.meanwhile = None
        toys.advance(minutes=5)
        with pytest.raises(Parked):
            _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
        raise NothingHappened

    postman.meanwhile = overtaken
    with pytest.raises(NothingHappened):
        _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    assert toys.one("select state from mesh.effects") == "parked"


def test_that_it_happened_after_all_is_worth_knowing_from_anybody(toys: Mesh, postman: ToyPostman) -> None:
    delivery = uuid7()

    def overtaken() -> None:
        postman.meanwhile = None
        toys.advance(minutes=5)
        with pytest.raises(Parked):
            _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})

    postman.meanwhile = overtaken
    _journal(toys, delivery).once("shout", postman.shout, {"note": "a"})
    assert toys.one("select state from mesh.effects") == "done"


def test_a_settled_call_waits_for_nobody_says_nothing_and_is_never_made_again(toys: Mesh, postman: ToyPostman) -> None:
    delivery, note, another = uuid7(), uuid7(), uuid7()
    postman.trouble, postman.late = [TimeoutError("no answer"), TimeoutError("no answer")], True
    for about, name in ((note, "a"), (another, "b")):
        with pytest.raises(Parked):
            _journal(toys, delivery).once(name, postman.shout, {"note": "11 98765-4321"}, about)
    with toys.db() as db:
        settle(db, [note], toys.time)
    [settled, waiting] = toys.rows("select state, arguments, error from mesh.effects order by name")
    assert dict(settled) == {"state": "settled", "arguments": {}, "error": None}
    assert waiting["state"] == "parked"
    with pytest.raises(Parked):
        _journal(toys, delivery).once("a", postman.shout, {"note": "11 98765-4321"}, note)
    assert len(postman.told) == 2


def test_a_call_that_may_wait_for_a_person_says_which_row_it_serves(toys: Mesh, postman: ToyPostman) -> None:
    context = toys.context()
    context.delivery = DeliveryRef(uuid7(), uuid7(), 30)
    for operation in (postman.shout, postman.book):
        with pytest.raises(Misuse, match="about="):
            context.once("x", operation, note="a")
