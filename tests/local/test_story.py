"""The story waits for what is on its way, and for nobody who may take a day."""

from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from somos.local import story
from somos.local.story import Story


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
