"""What each port needs, what it is called when it is missing, and what is loaded for it."""

import subprocess
import sys
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Protocol

import pytest
import redis

from somos.adapters.evolution.whatsapp import Evolution
from somos.adapters.provider import providers
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
from somos.wiring import ANSWERS, Wiring, optional_settings, problems, required_secrets, required_settings
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


def test_each_name_is_declared_by_one_provider_and_is_none_of_the_runtime_s() -> None:
    declared = [setting.name for provider in providers() for setting in provider.settings]
    assert sorted(declared) == sorted({*required_settings(ANSWERS), *optional_settings(ANSWERS)})
    assert not {name.lower() for name in declared} & set(Settings.names())


@pytest.mark.parametrize("name", [name for provider in providers() for name in provider.ports])
def test_a_provider_answers_for_ports_that_exist(wiring: Wiring, name: str) -> None:
    module, _, protocol = name.rpartition(".")
    port = getattr(import_module(module), protocol)
    assert port in type(wiring.port(port)).__mro__


def test_a_secret_is_read_from_its_file_and_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("somos.settings.SECRETS", tmp_path)
    (tmp_path / "serpapi-key").write_text("filed\n")
    assert Settings.from_environment({}).outside["SERPAPI_KEY"] == "filed"
    assert Settings.from_environment({"SOMOS_SERPAPI_KEY": "given"}).outside["SERPAPI_KEY"] == "given"
    assert "SERPAPI_URL" not in Settings.from_environment({}).outside
    assert "filed" not in repr(Settings.from_environment({}))


def test_what_is_missing_or_wrong_is_said_in_one_sentence_each() -> None:
    settings = Settings(
        outside={
            "SERPAPI_URL": "serpapi.com",
            "SERPAPI_KEY": "with space",
            "RESEND_WEBHOOK_SECRET": "whsec_not base64!",
            "SITES_PROXY": "socks://x",
            "CNPJ_URL": "http://[::1",
        }
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
    settings = Settings(redis_url=redis_url, outside={"CNPJ_URL": f"http://127.0.0.1:{closed_port()}"}, backoff_scale=0)
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
    settings = Settings(redis_url="redis://gone", outside={"CNPJ_URL": "http://cnpj.example"})
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
        "import somos.adapters.openai.llm, somos.adapters.sites.company_site, somos.adapters.evolution.whatsapp",
        "import somos.adapters.serpapi.search, somos.adapters.minha_receita.company_registry",
        "import somos.adapters.resend.email, somos.adapters.resend.webhooks, somos.adapters.resend.reports",
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


def test_what_providers_declare_is_known_without_their_adapters() -> None:
    check = "import somos.wiring, sys; print(*sorted(m for m in sys.modules if m.startswith('somos.adapters.')))"
    done = subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": "shared:."}, capture_output=True, text=True)
    folders = {type(provider).__module__ for provider in providers()} | {"somos.adapters.outside"}
    folders |= {f"somos.adapters.{provider.name.replace('-', '_')}" for provider in providers()}
    assert set(done.stdout.split()) == folders, done.stderr
