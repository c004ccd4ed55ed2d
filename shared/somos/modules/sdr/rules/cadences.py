"""Cadences: ordered steps with waits and branches; a published version never changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Condition = Literal["always", "not_replied", "replied", "opened", "not_opened", "bounced"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
# A reply or a bounce ends the cadence; a step on one of these only writes a draft for a person to decide.
AFTER_STOP: frozenset[str] = frozenset({"replied", "bounced"})
MAX_STEPS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One step: after `wait_hours`, when `condition` holds, write on `channel`; else go to `else_step`."""

    step_no: int
    channel: str
    wait_hours: int = 0
    condition: Condition = "always"
    else_step: int | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What happened to this person in the cadence so far."""

    opened: bool = False


def problems(steps: Sequence[Step]) -> list[str]:
    """What keeps these steps from being published, in Portuguese."""
    wrong: list[str] = []
    if not 1 <= len(steps) <= MAX_STEPS:
        return [f"Uma cadência tem de 1 a {MAX_STEPS} passos."]
    if [step.step_no for step in steps] != list(range(1, len(steps) + 1)):
        wrong.append("Os passos devem ser numerados de 1 em diante, sem saltos.")
    if steps[0].condition != "always":
        wrong.append("O primeiro passo não pode ter condição.")
    for step in steps:
        if step.else_step is not None and not step.step_no < step.else_step <= len(steps):
            wrong.append(f"Passo {step.step_no}: o desvio deve levar a um passo posterior.")
        if step.else_step is not None and step.condition in ("always", *AFTER_STOP):
            wrong.append(f"Passo {step.step_no}: esta condição não aceita desvio.")
    return wrong


def following(steps: Sequence[Step], after: int) -> Step | None:
    """The step whose wait starts once step `after` left; steps for a reply or a bounce wait for theirs."""
    return next((s for s in steps if s.step_no > after and s.condition not in AFTER_STOP), None)


def due_step(steps: Sequence[Step], step_no: int, history: History) -> Step | None:
    """The step to run now that `step_no` is due: itself when its condition holds, else down its branch."""
    step = next((s for s in steps if s.step_no == step_no), None)
    while step is not None and not holds(step.condition, history):
        if step.else_step is not None:
            step = next((s for s in steps if s.step_no == step.else_step), None)
        else:
            step = following(steps, step.step_no)
    return step


def after_stop(steps: Sequence[Step], cause: Literal["replied", "bounced"], after: int) -> Step | None:
    """The step written for this end of the cadence, if the author wants one."""
    return next((s for s in steps if s.step_no > after and s.condition == cause), None)


def holds(condition: Condition, history: History) -> bool:
    """Whether a live cadence (nobody replied, nothing bounced) meets the condition."""
    if condition == "opened":
        return history.opened
    if condition == "not_opened":
        return not history.opened
    return condition not in AFTER_STOP
