"""The monkey: strikes, one blow after another, as soon as the work has come as far as the seed says."""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from somos.local.processes import Identity, Record

# A supervisor gives up on a part that keeps dying; a monkey's kills must not look like that.
MOST_PER_PART = 3


@dataclass(frozen=True)
class Blow:
    """When: so many steps are done, and a moment later. Where: whatever the monkey's hand makes of the name."""

    at: int
    after_s: float
    target: str


def plan(seed: int, targets: Sequence[str], blows: int, steps: int, most: int = MOST_PER_PART) -> list[Blow]:
    """Blows spread over the whole work, none of the targets hit more than `most` times."""
    assert blows <= len(targets) * most
    chance = random.Random(seed)
    hit = [target for _ in range(most) for target in chance.sample(targets, len(targets))][:blows]
    chance.shuffle(hit)
    moments = sorted(chance.randrange(steps) for _ in hit)
    return [Blow(at, chance.uniform(0, 0.1), target) for at, target in zip(moments, hit, strict=True)]


class Monkey:
    """Carries out a plan in a thread of its own while its block runs; `struck` tells what it did."""

    def __init__(
        self, planned: Sequence[Blow], hand: "Callable[[Blow, Monkey], None]", progress: Callable[[], int]
    ) -> None:
        self._planned, self._hand, self._progress = list(planned), hand, progress
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="monkey", daemon=True)
        self.struck: list[Blow] = []

    @property
    def done(self) -> bool:
        """Whether nothing is planned any more."""
        return not self._thread.is_alive()

    def until(self, true: Callable[[], bool]) -> bool:
        """Look until it holds; False when told to stop before."""
        while not true():
            if self._stop.wait(0.02):
                return False
        return True

    def hold(self, seconds: float) -> None:
        """How long a blow lasts."""
        self._stop.wait(seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(30)
        print("struck:", ", ".join(f"{blow.target}@{blow.at}" for blow in self.struck))

    def _run(self) -> None:
        for blow in self._planned:
            if not self.until(lambda at=blow.at: self._progress() >= at):
                return
            self.hold(blow.after_s)
            self._hand(blow, self)
            self.struck.append(blow)


def living(folder: Path, part: str) -> Identity | None:
    """The process of a part that a supervisor of this folder keeps."""
    record = Record.read(folder / "run" / f"{part}.json")
    return record.process if record is not None and record.process.alive() else None
