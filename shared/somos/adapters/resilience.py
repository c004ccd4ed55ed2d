"""How any call to the outside is made: admitted, tried, tried again where that is safe, traced and logged."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from opentelemetry import trace
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from somos.adapters.gate import Gate
from somos.mesh.log import log
from somos.ports.errors import (
    NotConfigured,
    OutsideError,
    QuotaExhausted,
    Refused,
    Throttled,
    Transient,
    Unknown,
)

# read: no effect, so trying again is free. keyed: the provider takes our idempotency key. once: neither.
Kind = Literal["read", "keyed", "once"]
T = TypeVar("T")

LONGEST_WAIT_S = 30.0
OUTCOMES: dict[type[OutsideError], str] = {
    Throttled: "throttled",
    Transient: "transient",
    Refused: "refused",
    Unknown: "unknown",
    QuotaExhausted: "quota-exhausted",
    NotConfigured: "not-configured",
}

tracer = trace.get_tracer("somos.outside")


@dataclass(frozen=True)
class Terms:
    """How patient we are with a provider. `backoff_scale` multiplies every wait; tests set 0."""

    timeout: float = 30.0
    tries: int = 3
    backoff_scale: float = 1.0

    @property
    def timeouts(self) -> tuple[float, float]:
        """For connecting and for each read; together they are `timeout`."""
        connect = min(5.0, self.timeout / 3)
        return connect, self.timeout - connect


class Caller:
    """Makes calls to one provider. An attempt is one try: (result, status) or an OutsideError."""

    def __init__(
        self,
        provider: str,
        gate: Gate | None,
        terms: Terms,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.provider, self.terms = provider, terms
        self._gate, self._sleep = gate, sleep
        self._backoff = wait_exponential_jitter(multiplier=2, max=LONGEST_WAIT_S, exp_base=2, jitter=1)

    def call(self, operation: str, kind: Kind, attempt: Callable[[], tuple[T, int | None]]) -> T:
        run = _Run(self, operation, kind)
        with tracer.start_as_current_span(
            f"{self.provider}.{operation}",
            kind=trace.SpanKind.CLIENT,
            attributes={"somos.provider": self.provider, "somos.operation": operation},
            record_exception=False,  # an exception's text may quote an address with a key in it
            set_status_on_exception=False,
        ) as span:
            try:
                return self._tries(run, attempt)
            except OutsideError as error:
                run.error = error.at(self.provider, operation)
                span.set_status(trace.StatusCode.ERROR, run.outcome)
                raise
            finally:
                if run.status is not None:
                    span.set_attribute("http.response.status_code", run.status)
                span.set_attribute("somos.tries", run.tries)
                run.write_line()

    def _tries(self, run: "_Run", attempt: Callable[[], tuple[T, int | None]]) -> T:
        tries = 1 if run.kind == "once" else self.terms.tries
        retrying = Retrying(
            stop=stop_after_attempt(tries),
            retry=retry_if_exception(_worth_another),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            result: T = retrying(self._one, run, attempt)
            return result
        except Unknown:
            raise
        except OutsideError as error:
            # An earlier try may have had its effect; only a plain no to the same request says it had none.
            if run.doubt and not isinstance(error, Refused):
                raise Unknown(
                    "Não se sabe se o pedido anterior teve efeito.",
                    code=error.code,
                    status=error.status,
                    retry_after=error.retry_after,
                ) from None
            raise

    def _one(self, run: "_Run", attempt: Callable[[], tuple[T, int | None]]) -> T:
        token, pause = self._gate.admit() if self._gate else ("", 0.0)
        if pause:
            self._sleep(pause)
        run.tries += 1
        good = True
        try:
            result, run.status = attempt()
            return result
        except OutsideError as error:
            run.status, good = error.status, not error.outage
            run.doubt = run.doubt or isinstance(error, Unknown)
            raise
        except BaseException:
            good = False
            raise
        finally:
            if self._gate:
                self._gate.settle(token, good=good)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Throttled):
            retry_after = error.retry_after or 0.0
            wait = retry_after + random.uniform(0, min(retry_after, 1.0))
        else:
            wait = max(self._backoff(state), getattr(error, "retry_after", None) or 0.0)
        return min(wait, LONGEST_WAIT_S) * self.terms.backoff_scale


def _worth_another(error: BaseException) -> bool:
    """Only called for calls that are safe to repeat. A wait longer than ours is left to who asked."""
    if not isinstance(error, Transient | Unknown) or error.code == "circuit-open":
        return False
    return (error.retry_after or 0.0) <= LONGEST_WAIT_S


class _Run:
    """What is known of one call while it runs; its log line in the end."""

    def __init__(self, caller: Caller, operation: str, kind: Kind) -> None:
        self.caller, self.operation, self.kind = caller, operation, kind
        self.tries = 0
        self.status: int | None = None
        self.doubt = False
        self.error: OutsideError | None = None
        self._began = time.perf_counter()

    @property
    def outcome(self) -> str:
        return OUTCOMES[type(self.error)] if self.error else "ok"

    def write_line(self) -> None:
        fields: dict[str, Any] = {
            "provider": self.caller.provider,
            "operation": self.operation,
            "outcome": self.outcome,
            "status": self.status,
            "tries": self.tries,
            "ms": round((time.perf_counter() - self._began) * 1000),
        }
        if self.error and self.error.code:
            fields["code"] = self.error.code
        (log.warning if self.error else log.info)("outside_call", **fields)
