"""Which adapter answers for which port, and what each needs to be told; adapters load on first use."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from somos.mesh import clock as mesh_clock
from somos.mesh import refused
from somos.ports.webhook_sender import WebhookSender
from somos.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

    from somos.adapters.gate import Gate, Rate
    from somos.adapters.http import ResilientClient
    from somos.adapters.resilience import Caller

P = TypeVar("P")

DEFAULT_INSTANCE = "somos"
SITE_TIMEOUT_S = 10.0  # a visitor would have left
STATES = {"closed": "ok", "open": "down", "half-open": "recovering", "unknown": "unknown"}
# A call to a port is a Protocol of `somos.ports`; a webhook sender is named by a text.
Needed = type | str


@dataclass(frozen=True)
class Wire:
    """One provider: who builds its adapter, and the environment names it needs; `secrets` are among `needs`.

    What only reads (`asks=False`) calls nobody, so there is no health of it.
    """

    provider: str
    build: "Callable[[Wiring], Any]"
    needs: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    asks: bool = True


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
        wire = _port_wire(protocol)
        if protocol not in self._built and (missing := _missing(self.settings, wire)):
            from somos.ports.errors import NotConfigured

            raise NotConfigured(f"Falta configurar {', '.join(missing)}.", code="missing-settings").at(
                wire.provider, "configure"
            )
        return cast(P, self._adapter(protocol, wire))

    def webhook_sender(self, name: str) -> WebhookSender:
        """Who proves that a webhook is from `name`; without its secret it turns everything away, to come again."""
        return cast(WebhookSender, self._adapter(name, SENDERS[name]))

    def health(self) -> list[dict[str, Any]]:
        """How each provider stands, from its breaker and the configuration, without calling it."""
        told: list[dict[str, Any]] = []
        for wire in (wire for wire in PORTS.values() if wire.asks):
            # A Redis that does not answer is asked once, not once for each provider.
            deaf = any(entry["state"] == "unknown" for entry in told)
            told.append(self._health(wire, deaf))
        return told

    def _health(self, wire: Wire, deaf: bool) -> dict[str, Any]:
        if missing := _missing(self.settings, wire):
            return {"provider": wire.provider, "state": "not-configured", "missing": missing}
        if deaf:
            return {"provider": wire.provider, "state": "unknown"}
        circuit = self.gate(wire.provider).circuit()
        turned_away = refused.told(self._client(), wire.provider)
        return {
            "provider": wire.provider,
            # They never come again: whoever answers there waits for nothing.
            "state": "webhooks-refused" if turned_away else STATES[circuit.state],
            "webhooks_refused": turned_away,
            "failures": circuit.failures,
            "last_success_at": _when(circuit.good_at),
            "last_failure_at": _when(circuit.bad_at),
            "retry_at": _when(circuit.open_until),
        }

    def _adapter(self, needed: Needed, wire: Wire) -> Any:
        if needed not in self._built:
            self._built[needed] = wire.build(self)
        return self._built[needed]

    # -- what adapters are built of

    def gate(self, provider: str, rate: "Rate | None" = None) -> "Gate":
        from somos.adapters.gate import Gate

        return Gate(self._client(), provider, self.clock, rate=rate)

    def _client(self) -> "Redis | None":
        return self._redis() if self._redis and self.settings.redis_url else None

    def caller(self, provider: str) -> "Caller":
        from somos.adapters.resilience import Caller, Terms

        return Caller(provider, self.gate(provider), Terms(backoff_scale=self.settings.backoff_scale))

    def client(
        self, provider: str, base_url: str, headers: dict[str, str] | None = None, rate: "Rate | None" = None
    ) -> "ResilientClient":
        from somos.adapters.http import ResilientClient
        from somos.adapters.resilience import Terms

        terms = Terms(backoff_scale=self.settings.backoff_scale)
        gate = self.gate(provider, rate)
        return ResilientClient(provider, base_url, headers=headers or {}, gate=gate, terms=terms)


def _search(wiring: Wiring) -> Any:
    from somos.adapters.serpapi import SerpApi

    return SerpApi(wiring.client("serpapi", wiring.settings.serpapi_url), wiring.settings.serpapi_key)


def _sites(wiring: Wiring) -> Any:
    from somos.adapters.company_site import CompanySite
    from somos.adapters.resilience import Caller, Terms

    # No gate: every site is a server of its own, and five dead ones say nothing of the sixth.
    terms = Terms(timeout=SITE_TIMEOUT_S, tries=2, backoff_scale=wiring.settings.backoff_scale)
    return CompanySite(Caller("sites", None, terms), wiring.settings.sites_proxy)


def _company_registry(wiring: Wiring) -> Any:
    from somos.adapters.minha_receita import MinhaReceita

    return MinhaReceita(wiring.client("minha-receita", wiring.settings.cnpj_url))


def _llm(wiring: Wiring) -> Any:
    from somos.adapters.langchain_llm import LangchainLlm

    told = wiring.settings
    return LangchainLlm(wiring.caller("openai"), told.openai_base_url, told.openai_api_key, told.openai_model)


def _whatsapp(wiring: Wiring) -> Any:
    from somos.adapters.evolution import Evolution

    told = wiring.settings
    client = wiring.client("evolution", told.evolution_url, {"apikey": told.evolution_api_key})
    return Evolution(client, _value(told, "EVOLUTION_INSTANCE") or DEFAULT_INSTANCE)


def _whatsapp_reports(_: Wiring) -> Any:
    from somos.adapters.evolution_reports import EvolutionReports

    return EvolutionReports()


def _email(wiring: Wiring) -> Any:
    from somos.adapters.gate import Rate
    from somos.adapters.resend import Resend

    headers = {"Authorization": f"Bearer {wiring.settings.resend_api_key}"}
    return Resend(wiring.client("resend", wiring.settings.resend_url, headers, rate=Rate(5, 1.0)))


def _email_reports(_: Wiring) -> Any:
    from somos.adapters.resend_reports import ResendReports

    return ResendReports()


def _evolution_webhooks(wiring: Wiring) -> Any:
    from somos.adapters.evolution import EvolutionWebhooks

    return EvolutionWebhooks(wiring.settings.evolution_webhook_token, wiring.clock)


def _resend_webhooks(wiring: Wiring) -> Any:
    from somos.adapters.resend import ResendWebhooks

    return ResendWebhooks(wiring.settings.resend_webhook_secret, wiring.clock)


PORTS: dict[str, Wire] = {
    "somos.ports.search.Search": Wire("serpapi", _search, ("SERPAPI_URL", "SERPAPI_KEY"), ("SERPAPI_KEY",)),
    "somos.ports.sites.Sites": Wire("sites", _sites, optional=("SITES_PROXY",)),
    "somos.ports.company_registry.CompanyRegistry": Wire("minha-receita", _company_registry, ("CNPJ_URL",)),
    "somos.ports.llm.Llm": Wire(
        "openai", _llm, ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"), ("OPENAI_API_KEY",)
    ),
    "somos.ports.whatsapp.Whatsapp": Wire(
        "evolution",
        _whatsapp,
        ("EVOLUTION_URL", "EVOLUTION_API_KEY"),
        ("EVOLUTION_API_KEY",),
        ("EVOLUTION_INSTANCE",),
    ),
    "somos.ports.whatsapp.WhatsappReports": Wire("evolution", _whatsapp_reports, asks=False),
    "somos.ports.email.Email": Wire("resend", _email, ("RESEND_URL", "RESEND_API_KEY"), ("RESEND_API_KEY",)),
    "somos.ports.email.EmailReports": Wire("resend", _email_reports, asks=False),
}
SENDERS: dict[str, Wire] = {
    "evolution": Wire("evolution", _evolution_webhooks, ("EVOLUTION_WEBHOOK_TOKEN",), ("EVOLUTION_WEBHOOK_TOKEN",)),
    "resend": Wire("resend", _resend_webhooks, ("RESEND_WEBHOOK_SECRET",), ("RESEND_WEBHOOK_SECRET",)),
}


def required_settings(calls: Iterable[Needed]) -> tuple[str, ...]:
    """The environment names without which these ports and webhook senders cannot work, sorted."""
    return tuple(sorted({name for needed in calls for name in wire_of(needed).needs}))


def optional_settings(calls: Iterable[Needed]) -> tuple[str, ...]:
    """The environment names that these may also be told, sorted."""
    return tuple(sorted({name for needed in calls for name in wire_of(needed).optional}))


def required_secrets(calls: Iterable[Needed]) -> tuple[str, ...]:
    """Those of them that are secrets: what `stack.yml` mounts."""
    return tuple(sorted({name for needed in calls for name in wire_of(needed).secrets}))


def problems(settings: Settings, calls: Iterable[Needed]) -> list[str]:
    """What is missing or wrong for these ports, one sentence each, without quoting any value that is secret."""
    calls = list(calls)
    names = [*required_settings(calls), *sorted({n for needed in calls for n in wire_of(needed).optional})]
    found = []
    for name in names:
        value = _value(settings, name)
        if not value and name in required_settings(calls):
            found.append(f"{name}: falta definir.")
        elif value and (fault := _fault(name, value)):
            found.append(f"{name}: {fault}")
    return found


def wire_of(needed: Needed) -> Wire:
    return SENDERS[needed] if isinstance(needed, str) else _port_wire(needed)


def _port_wire(protocol: type) -> Wire:
    return PORTS[f"{protocol.__module__}.{protocol.__qualname__}"]


def _fault(name: str, value: str) -> str | None:
    """What is wrong with a value, judged by what its name says it is."""
    if name.endswith(("_URL", "_PROXY")):
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            return "não é um endereço http:// ou https:// válido."
    elif name == "RESEND_WEBHOOK_SECRET":
        encoded = value.removeprefix("whsec_")
        try:
            base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            return "não é um segredo de webhook (whsec_ e base64)."
    elif not value.isascii() or not value.isprintable() or " " in value:
        return "tem espaço ou caracteres que não cabem em um cabeçalho."
    return None


def _value(settings: Settings, name: str) -> str:
    return str(getattr(settings, name.lower(), "") or "")


def _missing(settings: Settings, wire: Wire) -> list[str]:
    return [name for name in wire.needs if not _value(settings, name)]


def _when(at: float | None) -> str | None:
    return datetime.fromtimestamp(at, UTC).isoformat() if at else None
