"""The one scope that is the pipeline's own: whoever holds the deal reaches what the deal is about."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from somos.policy.matrix import Reach, Verb
from somos.policy.scopes import Scope, Who, scope_of


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
