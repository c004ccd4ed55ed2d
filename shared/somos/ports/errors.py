"""What can go wrong outside, in six words; every adapter maps its provider's answers to these."""

from typing import ClassVar, Literal


class OutsideError(Exception):
    """A call to the outside did not succeed.

    `message` is for people (Portuguese, without secrets), `code` is stable and for programs. `status` is the
    HTTP status, when there was one. `outage` says that the provider itself failed; the breaker counts those.
    The class says what happened: `outcome` is "none", "refused" or "unknown", and the journal acts on it.
    """

    outcome: ClassVar[Literal["none", "refused", "unknown"]] = "none"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        outage: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.retry_after = retry_after
        self.outage = outage
        self.provider = ""
        self.operation = ""

    def at(self, provider: str, operation: str) -> "OutsideError":
        """The same error, knowing where it happened."""
        self.provider, self.operation = provider, operation
        return self

    def __str__(self) -> str:
        where = f"{self.provider}.{self.operation}: " if self.provider else ""
        return f"{where}{self.message}" + (f" [{self.code}]" if self.code else "")


class Transient(OutsideError):
    """It had no effect and may well succeed later: safe to try again."""


class Throttled(Transient):
    """Too fast, theirs or our own limit; nothing happened. `retry_after` seconds is when to come back."""

    def __init__(self, message: str, *, retry_after: float, code: str = "throttled", status: int | None = None) -> None:
        super().__init__(message, code=code, status=status, retry_after=retry_after)


class Refused(OutsideError):
    """The provider said no to this request, and will again; nothing happened."""

    outcome = "refused"


class Unknown(OutsideError):
    """The request left and may have had its effect; nobody can tell from here. Never repeat it blindly."""

    outcome = "unknown"


class QuotaExhausted(OutsideError):
    """The plan's allowance is used up; nothing will happen until it renews or somebody pays."""


class NotConfigured(OutsideError):
    """Address, key, licence or account are missing or wrong; nothing happened, a person must set it right."""
