"""Shapes of requests and answers: strict in, declared out."""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from operator import gt, lt, or_
from types import UnionType
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic_core import CoreSchema, PydanticUndefined
from pydantic_core.core_schema import literal_schema
from sqlalchemy import ColumnElement, Select, asc, desc, literal, tuple_

from somos.mesh.models import Model
from somos.mesh.problems import Invalid

BIGINT_MAX = 2**63 - 1
INT_MAX = 2**31 - 1

Cents = Annotated[int, Field(ge=0, le=BIGINT_MAX // 100, description="Valor em centavos")]


class Body(Model):
    """A JSON body: nothing undeclared, nothing coerced."""

    model_config = ConfigDict(strict=True, extra="forbid", str_strip_whitespace=True, str_max_length=20_000)


class Patch(Body):
    """A change: every field may be left out, which leaves it as it is; null only where the field takes it."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        for field in cls.__pydantic_fields__.values():
            field.default, field.default_factory = PydanticUndefined, _left_out


def _left_out() -> None:
    """What a handler reads from a field that was not sent."""


def untouched() -> Any:
    """The default of a PATCH field that cannot be null: absent leaves it as it is."""
    return Field(default_factory=_left_out)


class View(Model):
    """An answer, read from a row's attributes.

    What people send and get is declared once, as a plain `Model`, and joined with what each shape adds:

        class TagFields(Model):                     # name: Short; color: Color = "#64748b"
        class TagDraft(TagFields, Body): ...
        class TagPatch(TagFields, Patch): ...
        class TagView(TagFields, Record): ...

    A view tells what is stored: of such fields it keeps the type and drops checks and defaults.
    """

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        for base in cls.__bases__:
            if issubclass(base, Model) and not issubclass(base, View):
                for name in base.__pydantic_fields__:
                    field = cls.__pydantic_fields__[name]
                    field.annotation = _unchecked(Annotated[field.annotation, None, *field.metadata])
                    field.metadata, field.default, field.default_factory = [], PydanticUndefined, None


class Record(View):
    """A stored row, as versioned tables have it."""

    id: UUID
    version: int


class OneOf:
    """The words a text may be, listed once where CHECK constraints and rules read them too:

    State = Annotated[str, OneOf(DEAL.states)]
    """

    def __init__(self, words: Collection[str]) -> None:
        self.words = list(words)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        return literal_schema(self.words)


def _unchecked(kind: Any) -> Any:
    """The type without what is checked about it."""
    inner = tuple(_unchecked(one) for one in get_args(kind))
    if get_origin(kind) is Annotated:
        words = [one for one in kind.__metadata__ if isinstance(one, OneOf)]
        return Annotated[inner[0], words[0]] if words else inner[0]
    if get_origin(kind) in (Union, UnionType):
        return reduce(or_, inner)
    return kind if not inner or get_origin(kind) is Literal else get_origin(kind)[inner]


class Accepted(View):
    """The work goes on; ask for the task, or listen on `/ws`."""

    task_id: UUID


T = TypeVar("T")


class Page(Model, Generic[T]):
    """One page; `next` is the cursor of the following one, or null."""

    items: list[T]
    next: str | None = None


class Filter(Model):
    """A list's query string: declared fields only, a page size and a cursor.

    `table` is what is listed; `sort` must be redeclared as a Literal of column names (`-` for descending).
    """

    model_config = ConfigDict(extra="forbid")
    table: ClassVar[Any] = None

    limit: int = Field(50, ge=1, le=200, description="Itens por página")
    cursor: str | None = Field(None, max_length=500, description="Continuação: o `next` da página anterior")
    sort: str = "-id"

    def clauses(self) -> list[ColumnElement[bool]]:
        """Equality on columns of the same name; `<column>_from` and `_to` bound a range."""
        conditions: list[ColumnElement[bool]] = []
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None or name in Filter.model_fields:
                continue
            if name.endswith("_from") and (column := getattr(self.table, name[:-5], None)) is not None:
                conditions.append(column >= value)
            elif name.endswith("_to") and (column := getattr(self.table, name[:-3], None)) is not None:
                conditions.append(column <= value)
            elif (column := getattr(self.table, name, None)) is not None:
                conditions.append(column == value)
        return conditions

    def sought(self) -> list[list[str]]:
        """Texts that a row must hold somewhere in its `__searched__` columns: all those of one of the lists.

        It repeats what `clauses` say of the same words, in the terms of an index; empty, nothing is looked up.
        """
        return []

    def runs(self, statement: Select[Any]) -> list[Select[Any]]:
        """Statements whose rows, one after the other, are what follows the cursor: by the sort column, then id.

        Each is one stretch of an index on both, so a page far down costs what the first one costs.
        """
        descending = self.sort.startswith("-")
        name = self.sort.lstrip("-")
        table = statement.column_descriptions[0]["entity"]
        column, key = getattr(table, name), table.id
        order: Any = desc if descending else asc
        beyond: Any = lt if descending else gt
        position = None if self.cursor is None else self._position(column)
        if name == "id":
            statement = statement.order_by(order(key))
            return [statement if position is None else statement.where(beyond(key, position[1]))]
        statement = statement.order_by(order(column), order(key))
        # Empty ones come last either way, so a page never skips them.
        known, empty = statement.where(column.is_not(None)), statement.where(column.is_(None))
        nullable = column.property.columns[0].nullable
        if position is None:
            return [known, empty] if nullable else [statement]
        value, last = position
        if value is None:
            return [empty.where(beyond(key, last))]
        after = tuple_(literal(value, column.type), literal(last, key.type))
        rest = statement.where(beyond(tuple_(column, key), after))
        return [rest, empty] if nullable else [rest]

    def cursor_of(self, row: Any) -> str:
        value = getattr(row, self.sort.lstrip("-"))
        packed = json.dumps([self.sort, None if value is None else str(value), str(row.id)])
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    def _position(self, column: Any) -> tuple[Any, UUID]:
        assert self.cursor is not None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            sort, value, last = json.loads(base64.urlsafe_b64decode(padded))
            if sort != self.sort:
                raise ValueError("another order")
            if value is not None:
                value = TypeAdapter(column.type.python_type).validate_python(value)
            return value, UUID(last)
        except Exception as error:
            raise Invalid("O cursor não é desta lista", field="cursor") from error


@dataclass(frozen=True)
class Upload:
    """A file sent by a person: its bytes as they came."""

    content: bytes
    content_type: str
    filename: str | None = None


@dataclass(frozen=True)
class Download:
    """A file to be saved by the client; without a name it is a page to be shown."""

    content: bytes
    media_type: str
    filename: str | None = None
