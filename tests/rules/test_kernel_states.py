"""What a state machine does not list is refused, with a sentence for a person."""

import pytest

from somos.kernel.refusals import NotAllowed
from somos.kernel.states import Machine

DOOR = Machine(
    "Uma porta",
    {"open": "closed", "closed": "open locked", "locked": "closed broken", "broken": ""},
    {"open": "aberta", "closed": "fechada", "locked": "trancada", "broken": "quebrada"},
)


def test_a_listed_transition_gives_the_new_state() -> None:
    assert DOOR.move("open", "closed") == "closed"
    assert DOOR.states == ("open", "closed", "locked", "broken")


@pytest.mark.parametrize("to", ["locked", "open", "broken"])
def test_what_is_not_listed_is_refused_and_says_so_in_portuguese(to: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        DOOR.move("open", to)
    assert refused.value.detail == f"Uma porta aberta não pode passar a {DOOR.names[to]}."
    assert refused.value.code == "no-such-transition"


@pytest.mark.parametrize(
    ("state", "goal", "avoiding", "expected"),
    [
        ("open", "broken", (), ["closed", "locked", "broken"]),
        ("open", "broken", ("closed",), []),
        ("open", "broken", ("open", "broken"), ["closed", "locked", "broken"]),
        ("broken", "open", (), []),
        ("open", "open", (), []),
    ],
)
def test_a_path_is_the_shortest_and_leads_through_nothing_that_is_avoided(
    state: str, goal: str, avoiding: tuple[str, ...], expected: list[str]
) -> None:
    assert DOOR.path(state, goal, avoiding) == expected


@pytest.mark.parametrize(
    ("moves", "names"),
    [({"open": "ajar"}, {"open": "aberta"}), ({"open": ""}, {}), ({"open": ""}, {"open": "aberta", "shut": "fechada"})],
)
def test_a_machine_without_a_name_or_a_target_of_its_own_is_a_mistake(
    moves: dict[str, str], names: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="Uma porta"):
        Machine("Uma porta", moves, names)
