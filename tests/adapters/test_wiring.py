"""What each port needs, what it is called when it is missing, and what is loaded for it."""

import subprocess
import sys
from datetime import datetime, timedelta
from typing import Protocol

import pytest
import redis

from somos.adapters.evolution import Evolution
from somos.mesh.effects import operation
from somos.mesh.problems import Problem
from somos.ports.company_registry import CompanyRegistry
from somos.ports.email import Email
from somos.ports.errors import NotConfigured, OutsideError
from somos.ports.llm import Llm
from somos.ports.port import Port
from somos.ports.search import Search
from somos.ports.sites import Sites
from somos.ports.whatsapp import Whatsapp
from somos.settings import Settings
from somos.wiring import Wiring, problems, required_secrets, required_settings
from tests.adapters.conftest import SetClock, closed_port

ALL: list[type | str] = [Search, Sites, CompanyRegistry, Llm, Whatsapp, Email, "evolution", "resend"]


def test_a_port_names_what_it_needs() -> None:
    assert required_settings([Search, CompanyRegistry]) == ("CNPJ_URL", "SERPAPI_KEY", "SERPAPI_URL")
    assert required_settings([Sites]) == ()
    assert required_settings(["resend"]) == ("RESEND_WEBHOOK_SECRET",)


def test_a_unit_gets_only_the_secrets_its_ports_use() -> None:
    assert required_secrets([Search, Sites]) == ("SERPAPI_KEY",)
    assert required_secrets([Whatsapp, "evolution"]) == ("EVOLUTION_API_KEY", "EVOLUTION_WEBHOOK_TOKEN")
    assert set(required_secrets(ALL)) <= set(required_settings(ALL))


@pytest.mark.parametrize("name", required_settings(ALL))
def test_every_name_is_one_that_settings_know(name: str) -> None:
    assert name.lower() in Settings.__dataclass_fields__


def test_what_is_missing_or_wrong_is_said_in_one_sentence_each() -> None:
    settings = Settings(
        serpapi_url="serpapi.com",
        serpapi_key="with space",
        resend_webhook_secret="whsec_not base64!",
        sites_proxy="socks://x",
        cnpj_url="http://[::1",
    )
    found = problems(settings, [Search, Sites, CompanyRegistry, "evolution", "resend"])
    assert [line.partition(":")[0] for line in found] == [
        "CNPJ_URL", "EVOLUTION_WEBHOOK_TOKEN", "RESEND_WEBHOOK_SECRET", "SERPAPI_KEY", "SERPAPI_URL", "SITES_PROXY",
    ]  # fmt: skip
    assert "EVOLUTION_WEBHOOK_TOKEN: falta definir." in found
    assert "with space" not in "".join(found)


def test_nothing_is_wrong_with_what_the_sandbox_needs(wiring: Wiring) -> None:
    assert problems(wiring.settings, ALL) == []


def test_a_port_that_is_not_configured_says_what_is_missing() -> None:
    with pytest.raises(NotConfigured, match="SERPAPI_URL, SERPAPI_KEY"):
        Wiring(Settings()).port(Search)


def test_a_webhook_that_cannot_be_proved_is_told_to_come_again() -> None:
    for name in ("evolution", "resend"):
        with pytest.raises(Problem) as raised:
            Wiring(Settings()).webhook_sender(name).verify({}, b"{}")
        assert raised.value.status == 503


def test_an_adapter_is_made_once(wiring: Wiring) -> None:
    assert wiring.port(Whatsapp) is wiring.port(Whatsapp)
    assert wiring.webhook_sender("resend") is wiring.webhook_sender("resend")


@pytest.mark.parametrize(
    ("port", "name", "declared"),
    [
        (Whatsapp, "send_text", "park"),
        (Whatsapp, "check_number", "retry"),
        (Email, "send", "retry"),
        (Search, "web", "retry"),
        (Search, "maps", "retry"),
        (Sites, "fetch", "retry"),
        (CompanyRegistry, "by_cnpj", "retry"),
        (Llm, "ask", "retry"),
    ],
)
def test_an_adapter_s_operation_keeps_what_its_port_declared(
    wiring: Wiring, port: type, name: str, declared: str
) -> None:
    assert getattr(wiring.port(port), name).__unknown__ == declared


def test_an_adapter_may_declare_more_carefully_than_its_port() -> None:
    class Doing(Port, Protocol):
        @operation(unknown="retry")
        def do(self) -> None: ...

    class Careful(Doing):
        @operation(unknown="park")
        def do(self) -> None: ...

    assert Careful.do.__unknown__ == "park"  # type: ignore[attr-defined]


def test_health_asks_nobody_and_knows_what_is_missing(wiring: Wiring, store: "redis.Redis") -> None:
    states = {entry["provider"]: entry["state"] for entry in wiring.health()}
    assert states == dict.fromkeys(("serpapi", "sites", "minha-receita", "openai", "evolution", "resend"), "ok")
    bare = {entry["provider"]: entry for entry in Wiring(Settings(), lambda: store).health()}
    assert bare["serpapi"]["state"] == "not-configured"
    assert bare["serpapi"]["missing"] == ["SERPAPI_URL", "SERPAPI_KEY"]


def test_health_shows_a_provider_that_is_down_and_when_it_is_tried_again(
    redis_url: str, store: "redis.Redis", clock: SetClock
) -> None:
    settings = Settings(redis_url=redis_url, cnpj_url=f"http://127.0.0.1:{closed_port()}", backoff_scale=0)
    wiring = Wiring(settings, lambda: store, clock)

    def state() -> dict[str, object]:
        return next(entry for entry in wiring.health() if entry["provider"] == "minha-receita")

    for _ in range(2):
        with pytest.raises(OutsideError):
            wiring.port(CompanyRegistry).by_cnpj("11222333000181")
    assert state()["state"] == "down"
    retry_at = datetime.fromisoformat(str(state()["retry_at"]))
    assert timedelta(seconds=4) <= retry_at - clock() <= timedelta(seconds=5)  # the first pause, less its jitter
    clock.move(5)
    assert state()["state"] == "recovering"


def test_health_without_redis_is_unknown_and_not_an_error(no_redis: "redis.Redis") -> None:
    settings = Settings(redis_url="redis://gone", cnpj_url="http://cnpj.example")
    states = {entry["provider"]: entry["state"] for entry in Wiring(settings, lambda: no_redis).health()}
    assert states["minha-receita"] == "unknown"


def test_the_default_instance_is_somos(wiring: Wiring) -> None:
    whatsapp = wiring.port(Whatsapp)
    assert isinstance(whatsapp, Evolution)
    assert whatsapp.check_number("+5511955550101").exists


HEAVY = ("langchain", "langchain_core", "langchain_openai", "openai", "selectolax", "phonenumbers", "jwt", "httpx")


@pytest.mark.parametrize(
    "code",
    [
        "import somos.wiring, somos.ports.llm, somos.ports.sites, somos.ports.whatsapp",
        "import somos.adapters.langchain_llm, somos.adapters.company_site, somos.adapters.evolution",
        "import somos.adapters.serpapi, somos.adapters.resend, somos.adapters.minha_receita",
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_used(code: str) -> None:
    check = f"{code}; import sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": "shared:."}, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_wiring_alone_loads_no_client_at_all() -> None:
    check = "import somos.wiring, sys; print([m for m in ('requests', 'redis', 'tenacity') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": "shared:."}, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
