"""What the mesh asks of the accounts; the auth module answers, imported late, as only it knows its tables."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from .ended_sessions import EndedSessions
from .principals import Principal

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Accounts(Protocol):
    """How the accounts stand now. All are asked inside a transaction of the system."""

    def of_key(self, db: "Session", secret: str, now: datetime) -> Principal | None:
        """The principal of an API key, unless unknown, revoked or expired."""

    def fresh(self, db: "Session", principal: Principal, now: datetime) -> Principal | None:
        """The principal as the account stands now; None when it may no longer act at all.

        Asked where `grants.is_fresh_required`: what a token says may be fifteen minutes old.
        """

    def ended(self, db: "Session", now: datetime) -> EndedSessions:
        """Every sign-in that ended while one of its access tokens may still be good."""
