"""Who answers for which port, found by what each provider's folder declares; adapters load on first use."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from somos.adapters.outside import Outside
from somos.adapters.provider import Adapter, Provider, Setting, providers
from somos.mesh import clock as mesh_clock
from somos.mesh import refused_webhooks
from somos.ports.webhook_sender import WebhookSender
from somos.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

P = TypeVar("P")

STATES = {"closed": "ok", "open": "down", "half-open": "recovering", "unknown": "unknown"}
# A port, or its full name; or the name of whoever sends webhooks.
Needed = type | str

# By each such name who answers; what sends webhooks is named as its provider.
ANSWERS: dict[str, tuple[Provider, Adapter]] = {
    name: (provider, adapter)
    for provider in providers()
    for name, adapter in (*provider.ports.items(), (provider.name, provider.webhooks))
    if adapter
}


class Wiring:
    """The outside, as configured. One per process; `redis` is only asked for when something is called."""

    def __init__(
        self,
        settings: Settings,
        redis: "Callable[[], Redis] | None" = None,
        clock: Callable[[], datetime] = mesh_clock.now,
    ) -> None:
        self.settings, self.clock = settings, clock
        self._redis = redis
        self._built: dict[Needed, Any] = {}

    def port(self, protocol: type[P]) -> P:
        """The adapter behind a port. Raises NotConfigured, naming what is missing."""
        provider, adapter = _who(protocol)
        if protocol not in self._built and (missing := self._outside(provider).lacks(adapter.settings)):
            from somos.ports.errors import NotConfigured

            raise NotConfigured(f"Falta configurar {', '.join(missing)}.", code="missing-settings").at(
                provider.name, "configure"
            )
        return cast(P, self._adapter(protocol))

    def webhook_sender(self, name: str) -> WebhookSender:
        """Who proves that a webhook is from `name`; without its secret it turns everything away, to come again."""
        return cast(WebhookSender, self._adapter(name))

    def health(self) -> list[dict[str, Any]]:
        """How each provider stands, from its breaker and the configuration, without calling it."""
        entries: list[dict[str, Any]] = []
        for provider in providers():
            asking = [adapter for adapter in provider.ports.values() if adapter.asks]
            # A Redis that does not answer is asked once, not once for each provider.
            silent = any(entry["state"] == "unknown" for entry in entries)
            if asking:
                read = tuple(setting for adapter in asking for setting in adapter.settings)
                entries.append(self._health(self._outside(provider), read, silent))
        return entries

    def _health(self, outside: Outside, read: tuple[Setting, ...], silent: bool) -> dict[str, Any]:
        name = outside.provider.name
        if missing := outside.lacks(read):
            return {"provider": name, "state": "not-configured", "missing": missing}
        if silent:
            return {"provider": name, "state": "unknown"}
        circuit = outside.gate().circuit()
        turned_away = refused_webhooks.recent(self._client(), name)
        return {
            "provider": name,
            # They never come again: whoever answers there waits for nothing.
            "state": "webhooks-refused" if turned_away else STATES[circuit.state],
            "webhooks_refused": turned_away,
            "failures": circuit.failures,
            "last_success_at": _when(circuit.good_at),
            "last_failure_at": _when(circuit.bad_at),
            "retry_at": _when(circuit.open_until),
        }

    def _adapter(self, needed: Needed) -> Any:
        if needed not in self._built:
            provider, adapter = _who(needed)
            self._built[needed] = adapter.build(self._outside(provider))
        return self._built[needed]

    def _outside(self, provider: Provider) -> Outside:
        return Outside(provider, self.settings, self._client, self.clock)

    def _client(self) -> "Redis | None":
        return self._redis() if self._redis and self.settings.redis_url else None


def required_settings(calls: Iterable[Needed]) -> tuple[str, ...]:
    """The environment names without which these ports and webhook senders cannot work, sorted."""
    return tuple(sorted({setting.name for setting in _settings(calls) if setting.required}))


def optional_settings(calls: Iterable[Needed]) -> tuple[str, ...]:
    """The environment names that these may also be told, sorted."""
    return tuple(sorted({setting.name for setting in _settings(calls) if not setting.required}))


def required_secrets(calls: Iterable[Needed]) -> tuple[str, ...]:
    """Those of them that are secrets: what `stack.yml` mounts."""
    return tuple(sorted({setting.name for setting in _settings(calls) if setting.secret}))


def required_image(calls: Iterable[Needed]) -> Literal["core", "ai"]:
    """The image that holds what the adapters behind these import."""
    return "ai" if any(_who(needed)[1].image == "ai" for needed in calls) else "core"


def every_setting() -> dict[str, Setting]:
    """What any provider reads, by its environment name."""
    return {setting.name: setting for provider in providers() for setting in provider.settings}


def problems(settings: Settings, calls: Iterable[Needed]) -> list[str]:
    """What is missing or wrong for these ports, one sentence each, without quoting any value."""
    faults = []
    for setting in sorted(set(_settings(calls)), key=lambda setting: setting.name):
        value = settings.outside.get(setting.name) or setting.default
        if not value and setting.required:
            faults.append(f"{setting.name}: falta definir.")
        elif value and (fault := setting.fault(value)):
            faults.append(f"{setting.name}: {fault}")
    return faults


def _settings(calls: Iterable[Needed]) -> Iterator[Setting]:
    for needed in calls:
        yield from _who(needed)[1].settings


def _who(needed: Needed) -> tuple[Provider, Adapter]:
    return ANSWERS[needed if isinstance(needed, str) else f"{needed.__module__}.{needed.__qualname__}"]


def _when(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat() if at else None
