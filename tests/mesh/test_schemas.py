"""Draft, Patch and View of one declaration: what is checked when it is sent, and only told when it is shown."""

from types import SimpleNamespace
from typing import Annotated, Any
from uuid import uuid4

import pytest
from pydantic import AfterValidator, Field, ValidationError

from somos.mesh import Body, Model, OneOf, Patch, Record

STATES = ("open", "closed")


def refuse(text: str) -> str:
    raise ValueError("never right")


class BoxFields(Model):
    name: Annotated[str, Field(min_length=1, max_length=5)]
    code: Annotated[str, AfterValidator(refuse)] | None = None
    words: list[Annotated[str, Field(max_length=2)]] = Field(default_factory=list, max_length=2)
    state: Annotated[str, OneOf(STATES)] = "open"


class BoxDraft(BoxFields, Body):
    pass


class BoxPatch(BoxFields, Patch):
    active: bool


class BoxView(BoxFields, Record):
    note: str | None = None


class SecretBox(BoxView):
    secret: str


def test_a_patch_needs_nothing_and_knows_what_was_sent() -> None:
    patch = BoxPatch.model_validate({"active": False})
    assert patch.model_dump(exclude_unset=True) == {"active": False}
    assert (patch.name, patch.state) == (None, None)
    assert "required" not in BoxPatch.model_json_schema()


@pytest.mark.parametrize("sent", [{"name": None}, {"name": ""}, {"code": "x"}, {"state": "ajar"}, {"active": None}])
def test_what_is_sent_in_a_patch_is_checked_as_in_a_draft(sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BoxPatch.model_validate(sent)


def test_a_draft_keeps_its_checks_and_defaults() -> None:
    assert BoxDraft(name="a").model_dump() == {"name": "a", "code": None, "words": [], "state": "open"}
    assert BoxDraft.model_json_schema()["required"] == ["name"]
    with pytest.raises(ValidationError):
        BoxDraft.model_validate({"name": "longer"})


@pytest.mark.parametrize("view", [BoxView, SecretBox])
def test_a_view_shows_what_is_stored_whatever_is_checked_today(view: type[BoxView]) -> None:
    row = SimpleNamespace(
        id=uuid4(), version=3, name="longer", code="old", words=["long"], state="closed", note=None, secret="s"
    )
    assert view.model_validate(row).model_dump() | {"secret": "s"} == vars(row)
    schema = view.model_json_schema()
    assert {"name", "code", "words", "state", "id", "version"} <= set(schema["required"])
    assert schema["properties"]["name"] == {"title": "Name", "type": "string"}
    assert schema["properties"]["state"]["enum"] == list(STATES)
