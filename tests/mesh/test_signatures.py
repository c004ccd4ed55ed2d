"""A handler that could never be called is refused when it declares itself, and told what to write."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from somos.mesh import Body, Context, Event, Filter, Upload, View, cron, http, topic, webhook
from somos.mesh.declare import registry
from somos.mesh.signatures import DeclarationError

if TYPE_CHECKING:
    from decimal import Decimal


class Rung(Event):
    """A queue was woken."""


class Other(Event):
    """Something else."""


class Said(BaseModel):
    """What a provider says."""


class Draft(Body):
    """What a person writes."""


class Shown(View):
    """What is answered."""


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    registry.pop("mesh-test-signatures", None)


def right_step(rung: Rung, ctx: Context) -> None: ...
def step_by_name(*, ctx: Context, rung: Rung) -> None:
    later = rung
    del later


def other_event(event: Other, ctx: Context) -> None: ...
def no_context(event: Rung) -> None: ...
def no_event(ctx: Context) -> None:
    event = Rung()
    del event


def two_events(event: Rung, other: Other, ctx: Context) -> None: ...
def untyped(event, ctx: Context) -> None: ...  # type: ignore[no-untyped-def]
def several(*events: Rung, ctx: Context) -> None: ...
def anything(event: Rung, ctx: Context, **more: Any) -> None: ...
async def awaited(event: Rung, ctx: Context) -> None: ...
def iterated(event: Rung, ctx: Context) -> Iterator[None]:
    yield


def unknown(event: "Decimal", ctx: Context) -> None: ...


WRONG_STEPS = [other_event, no_context, no_event, two_events, untyped, several, anything, awaited, iterated, unknown]


@pytest.mark.parametrize("handler", [right_step, step_by_name])
def test_a_step_takes_its_event_and_the_context_in_any_order(handler: Callable[..., None]) -> None:
    topic(Rung)(handler)
    [consumer] = registry["mesh-test-signatures"].topics
    assert consumer.takes == "rung"


@pytest.mark.parametrize("handler", WRONG_STEPS)
def test_a_step_that_could_not_be_called_is_refused_where_it_stands(handler: Callable[..., None]) -> None:
    with pytest.raises(DeclarationError, match=r"test_signatures\.py:\d+"):
        topic(Rung)(handler)


def test_the_refusal_says_what_to_write() -> None:
    with pytest.raises(
        DeclarationError, match=r"other_event\(event: Other, ctx: Context\).*\(event: Rung, ctx: Context\)"
    ):
        topic(Rung)(other_event)


@pytest.mark.parametrize("handler", [right_step, untyped, no_context, awaited])
def test_a_timer_takes_the_context_alone(handler: Callable[..., None]) -> None:
    with pytest.raises(DeclarationError):
        cron("* * * * *")(handler)
    cron("* * * * *")(no_event)


def test_a_webhook_takes_one_model_and_the_context() -> None:
    def hook(said: Said, ctx: Context) -> None: ...

    def two(said: Said, rung: Rung, ctx: Context) -> None: ...

    webhook("/webhook/x", signed_by="x")(hook)
    [made] = registry["mesh-test-signatures"].webhooks
    assert (made.consumer.takes, made.consumer.model) == ("said", Said)
    for wrong in (two, no_context, no_event):
        with pytest.raises(DeclarationError):
            webhook("/webhook/y", signed_by="y")(wrong)


def test_an_endpoint_gets_the_context_only_when_it_takes_it() -> None:
    def without(draft: Draft) -> Shown:
        ctx = Shown()
        assert not ctx.model_fields_set
        return ctx

    http.post("/toys/without", allow="crm:write")(without)
    [made] = registry["mesh-test-signatures"].endpoints
    assert (made.takes_context, made.body_name) == (False, "draft")


def test_an_endpoint_that_could_not_be_called_is_refused() -> None:
    def untyped_id(id, ctx: Context) -> None: ...  # type: ignore[no-untyped-def]

    def bytes_id(id: bytes, ctx: Context) -> None: ...

    def two_bodies(id: UUID, a: Draft, b: Draft, ctx: Context) -> None: ...

    def body_and_upload(id: UUID, a: Draft, b: Upload, ctx: Context) -> None: ...

    def two_filters(id: UUID, a: Filter, b: Filter, ctx: Context) -> None: ...

    def text_outside(id: UUID, q: str, ctx: Context) -> None: ...

    def not_in_path(ctx: Context) -> None: ...

    for wrong in (untyped_id, bytes_id, two_bodies, body_and_upload, two_filters, text_outside, not_in_path):
        with pytest.raises(DeclarationError, match=r"test_signatures\.py:\d+"):
            http.post("/toys/{id}", allow="crm:write")(wrong)
