"""Tells the database who is acting, for the length of one transaction; row security reads it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from .principals import Principal
from .roles import Role

_SET_ROLE: Final[TextClause] = text("select set_config('somos.role', :role, true)")
_GET_ROLE: Final[TextClause] = text("select coalesce(current_setting('somos.role', true), '')")


def settings_of(principal: Principal) -> dict[str, str]:
    """The transaction settings that stand for a principal; the end of the transaction forgets them."""
    company = principal.client_company_id
    return {
        "somos.user_id": str(principal.id),
        "somos.role": principal.role.value,
        "somos.client_company_id": "" if company is None else str(company),
    }


@contextmanager
def elevated(db: Session) -> Iterator[Session]:
    """Act as the system for a moment: where an action, or the code itself, has already allowed the write.

    What is written inside is flushed inside, and what was pending before is flushed before, so neither side
    borrows the other's rights.
    """
    db.flush()
    before = db.execute(_GET_ROLE).scalar_one()
    db.execute(_SET_ROLE, {"role": Role.system.value})
    try:
        yield db
        db.flush()
    except BaseException:
        # A failed statement has already aborted the transaction, settings included.
        with suppress(DBAPIError):
            db.execute(_SET_ROLE, {"role": before})
        raise
    db.execute(_SET_ROLE, {"role": before})
