"""The story waits for what is on its way, for nobody who may take a day, and tells what is true of this telling."""

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from somos.local import story
from somos.local.story import Before, Story


@pytest.mark.parametrize(
    ("state", "label", "goes_on"),
    [
        ("matched", None, False),  # the model reads it now
        ("handled", "interested", True),
        ("classified", "unclear", True),  # a person reads it some day
        ("unmatched", None, True),
        ("handled", None, True),  # it was erased before anybody understood it
    ],
)
def test_the_story_goes_on_when_only_people_are_waited_for(
    monkeypatch: pytest.MonkeyPatch, state: str, label: str | None, goes_on: bool
) -> None:
    now = [0.0]
    monkeypatch.setattr(story.time, "monotonic", lambda: now[0])
    answers: Any = SimpleNamespace(all=lambda _: [{"state": state, "label": label}])
    quiet = Story("http://nowhere", Console(quiet=True))._quiet(answers)
    assert not quiet()
    now[0] += 2.5
    assert quiet() is goes_on


class House:
    """Answers a story as a used folder does: everything was there before."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self._lists = lists

    def all(self, path: str, **query: Any) -> list[dict[str, Any]]:
        if query.get("state"):
            return []
        return self._lists.get(path.rsplit("/", 1)[1].replace("-", "_"), [])

    def ask(self, what: str, *_: Any, **__: Any) -> Any:
        return {"name": "Apresentação por email", "report": {"sent": 5, "delivered": 4}} if "campaigns" in what else {}


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> House:
    """A folder on which the story was told to its end."""
    monkeypatch.setattr(story, "Voice", lambda *_: House())
    return House(
        leads=[{"id": "l1"}],
        responses=[{"id": "r1", "label": "interested", "text": "Tenho interesse, sim", "state": "handled"}],
        deals=[{"id": "d1"}],
        outreach_campaigns=[{"id": "c1"}],
    )


def told(house: Any, before: Before, chapter: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What one chapter says on the terminal."""
    console = Console(record=True, width=200, quiet=False, file=io.StringIO())
    made = Story("http://nowhere", console)
    made._before = before
    monkeypatch.setattr(made, "_until", lambda *_: None)
    {"approve": lambda: made._approve(house, ["c1"]), "answers": lambda: made._answers(house)}[chapter]()
    return console.export_text()


def test_told_again_nobody_approves_anything_and_old_messages_are_not_counted_as_new(
    used: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = told(used, Before.of(used), "approve", monkeypatch)
    assert "aprovou" not in said
    assert "0 saíram agora; ao todo 5 enviadas, 4 entregues" in said


def test_told_again_old_answers_and_deals_are_said_to_be_old(used: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(used, Before.of(used), "answers", monkeypatch)
    assert "Tenho interesse" not in said
    assert "0 resposta(s) nova(s); 1 já tinha(m) chegado antes." in said
    assert "0 negócio(s) aberto(s) agora, 1 ao todo" in said


def test_told_for_the_first_time_everything_is_new(used: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said = told(used, Before(), "answers", monkeypatch)
    assert "Tenho interesse, sim" in said
    assert "1 negócio(s) aberto(s), cada um uma única vez." in said
    assert "saíram agora" not in told(used, Before(), "approve", monkeypatch)
