"""Which rows a principal reaches: declared once on a table, used by handlers here and by PostgreSQL in `rls`.

A table says whose its rows are:

    __scope__ = Own("owner_id")                          # a seller's rows; unassigned rows belong to nobody
    __scope__ = Everyone()                               # whoever the matrix admits, clients aside
    __scope__ = Via(Deal, "deal_id")                     # as the parent row
    __scope__ = Behind(Deal, "company_id")               # what a reachable row points at
    __scope__ = Client("company_id")                     # rows of a client's company
    __scope__ = Own("owner_id") | Client("company_id")   # either
    __scope__ = Own("owner_id", private=True, shared="shared")   # for every role; shared rows can be read

The matrix says how far each role goes (all, own, client, none). Three options adjust that for one table:
`readers` and `writers` name an action whose roles alone may read or write it; `also` names actions whose
roles may write the narrow rows (own, or the client's) of a module where the matrix only lets them read.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, exists, false, literal, or_, select, true
from sqlalchemy.orm import aliased

from .actions import ACTIONS
from .matrix import MATRIX, Reach, Verb, reach
from .principals import Principal
from .roles import Role

T = TypeVar("T")


class ScopeError(TypeError):
    """A table whose scope is missing or cannot work; raised when it is used, never silently open."""


@dataclass(frozen=True)
class Who:
    """The two values that rows are compared with: bound parameters in a query, settings in a policy."""

    user: ColumnElement[UUID]
    company: ColumnElement[UUID] | None

    @classmethod
    def of(cls, principal: Principal) -> "Who":
        """The principal's own values."""
        company = principal.client_company_id
        return cls(
            user=literal(principal.id, Uuid()),
            company=None if company is None else literal(company, Uuid()),
        )


@dataclass(frozen=True, kw_only=True)
class Scope(ABC):
    """Whose a table's rows are."""

    readers: str | None = None
    writers: str | None = None
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for action in (self.readers, self.writers, *self.also):
            if action is not None and action not in ACTIONS:
                raise ScopeError(f"{action!r} is not an action of somos/policy/actions.py")

    @property
    def is_private(self) -> bool:
        """Whether even the roles that reach everything see only their own rows."""
        return False

    @abstractmethod
    def narrow(self, table: Any, who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:
        """The rows of `table` (a mapped class or an alias of it) for a reach of `own` or `client`."""

    def __or__(self, other: "Scope") -> "Scope":
        return AnyOf(
            parts=(self, other),
            readers=self.readers or other.readers,
            writers=self.writers or other.writers,
            also=(*self.also, *other.also),
        )


@dataclass(frozen=True)
class Own(Scope):
    """Rows whose `column` holds the principal's id. Empty means unassigned: no narrow reach sees it."""

    column: str
    private: bool = field(default=False, kw_only=True)
    shared: str | None = field(default=None, kw_only=True)

    @property
    def is_private(self) -> bool:
        return self.private

    def narrow(self, table: Any, who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:
        mine: ColumnElement[bool] = getattr(table, self.column) == who.user
        if self.shared is not None and verb == "read" and how is Reach.own:
            return or_(mine, getattr(table, self.shared).is_(true()))
        return mine


@dataclass(frozen=True)
class Everyone(Scope):
    """Rows that belong to the house. `clients=True` opens them to clients whom the matrix admits."""

    clients: bool = field(default=False, kw_only=True)

    def narrow(self, table: Any, who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:  # noqa: ARG002
        return true() if how is Reach.own or self.clients else false()


@dataclass(frozen=True)
class Client(Scope):
    """Rows whose `column` holds the company of the signed-in client."""

    column: str

    def narrow(self, table: Any, who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:  # noqa: ARG002
        if how is not Reach.client or who.company is None:
            return false()
        mine: ColumnElement[bool] = getattr(table, self.column) == who.company
        return mine


@dataclass(frozen=True)
class Via(Scope):
    """Rows reached through a parent of the same module; a child follows its parent, restrictions included."""

    parent: type[Any]
    column: str

    @property
    def is_private(self) -> bool:
        return scope_of(self.parent).is_private

    def narrow(self, table: Any, who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:
        above = aliased(self.parent)
        rows = scope_of(self.parent).narrow(above, who, how, verb)
        return exists(select(1).where(above.id == getattr(table, self.column), rows))

    def among(self, table: Any, who: Who, how: Reach) -> ColumnElement[bool]:
        """The same rows for who reads most of the table: the parents are a set made once, not looked up row by row."""
        above = aliased(self.parent)
        parents = select(above.id).where(scope_of(self.parent).narrow(above, who, how, "read"))
        # `is true` keeps PostgreSQL from turning the set into a join, which it does row by row.
        kept: ColumnElement[bool] = getattr(table, self.column).in_(parents)
        return kept.is_(true())


@dataclass(frozen=True)
class Behind(Scope):
    """Rows that a reachable row of `front` points at with `column`: the company behind a seller's deal.

    The opposite of `Via`, which follows a child to its parent.
    """

    front: type[Any]
    column: str

    def narrow(self, table: Any, who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:
        front = aliased(self.front)
        rows = scope_of(self.front).narrow(front, who, how, verb)
        return exists(select(1).where(getattr(front, self.column) == table.id, rows))


@dataclass(frozen=True, kw_only=True)
class AnyOf(Scope):
    """Rows that any of the parts reaches."""

    parts: tuple[Scope, ...]

    @property
    def is_private(self) -> bool:
        return any(part.is_private for part in self.parts)

    def narrow(self, table: Any, who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:
        return or_(*(part.narrow(table, who, how, verb) for part in self.parts))


def module_of(table: type[Any]) -> str:
    """The policy module of a mapped class: its PostgreSQL schema."""
    schema: str | None = table.__table__.schema
    if schema is None or schema not in MATRIX:
        raise ScopeError(f"{table.__name__}: its schema {schema!r} is not a module of the permission matrix")
    return schema


def scope_of(table: type[Any]) -> Scope:
    """The declared scope; a table without one is refused rather than open."""
    scope = getattr(table, "__scope__", None)
    if not isinstance(scope, Scope):
        raise ScopeError(
            f"{table.__name__} declares no __scope__: say whose its rows are, for example "
            '__scope__ = Own("owner_id"), Everyone() or Via(Parent, "parent_id")'
        )
    for part in _vias(scope):
        if module_of(part.parent) != module_of(table):
            raise ScopeError(f"{table.__name__}: its parent {part.parent.__name__} belongs to another module")
    return scope


def access(table: type[Any], role: Role, verb: Verb) -> Reach:
    """How far `role` goes in this table: the matrix, adjusted by the table's options."""
    if role is Role.system:
        return Reach.all
    scope, module = scope_of(table), module_of(table)
    if reach(role, module, "read") is Reach.none:
        return Reach.none
    how = reach(role, module, verb)
    gate = _gate(scope, verb)
    if gate is not None and role not in ACTIONS[gate]:
        return Reach.none
    acts = gate is not None or any(role in ACTIONS[action] for action in scope.also)
    if how is Reach.none and verb == "write" and acts:
        how = Reach.client if role is Role.Cliente else Reach.own
    return Reach.own if how is Reach.all and scope.is_private else how


def rows(table: type[Any], who: Who, how: Reach, verb: Verb) -> ColumnElement[bool]:
    """The condition that keeps the rows of one reach."""
    if how is Reach.all:
        return true()
    if how is Reach.none:
        return false()
    return scope_of(table).narrow(table, who, how, verb)


def visible(principal: Principal, table: type[T], *, most: bool = False) -> Select[T]:
    """Every row of `table` that the principal may read; handlers add their own conditions to it.

    With `most`, for a report that reads most of them; the rows are the same.
    """
    how, scope, who = access(table, principal.role, "read"), scope_of(table), Who.of(principal)
    statement = select(table)
    if how is Reach.all:
        return statement
    if most and isinstance(scope, Via) and how is not Reach.none:
        return statement.where(scope.among(table, who, how))
    return statement.where(rows(table, who, how, "read"))


def _gate(scope: Scope, verb: Verb) -> str | None:
    own = scope.readers if verb == "read" else scope.writers
    if own is not None:
        return own
    above = (_gate(scope_of(part.parent), verb) for part in _vias(scope))
    return next((gate for gate in above if gate is not None), None)


def _vias(scope: Scope) -> list[Via]:
    if isinstance(scope, Via):
        return [scope]
    if isinstance(scope, AnyOf):
        return [via for part in scope.parts for via in _vias(part)]
    return []
