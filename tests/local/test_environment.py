"""What the local parts are told, and what is said of settings that are missing or wrong."""

import socket
import stat
from pathlib import Path

import pytest

from somos.local.addresses import free_port
from somos.local.checks import problems
from somos.local.environment import OUTSIDE, Ports, complete, embedded, read_env_file, unused_keys
from tests.harness.engines import start_postgres, start_valkey

SANDBOX = "http://127.0.0.1:7070"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def test_a_person_who_sets_nothing_gets_everything_from_the_stack(folder: Path) -> None:
    told = complete({}, folder, Ports())

    assert embedded({}) == {"gateway", "realtime", "sandbox", "postgres", "redis"}
    assert {name: told[name] for name in OUTSIDE} == {name: SANDBOX + place for name, (place, _) in OUTSIDE.items()}
    assert told["DATABASE_URL"].startswith("postgresql+pg8000://somos_app:")
    assert told["DATABASE_OWNER_URL"].startswith("postgresql+pg8000://somos_owner:")
    assert told["SITES_PROXY"] == SANDBOX
    assert told["RESEND_WEBHOOK_SECRET"].startswith("whsec_")
    assert "PRIVATE KEY" in told["SOMOS_JWT_PRIVATE_KEY"]
    assert problems({}, told) == []


def test_the_same_folder_keeps_its_secrets_and_another_has_its_own(folder: Path) -> None:
    assert complete({}, folder, Ports()) == complete({}, folder, Ports())
    assert (
        complete({}, folder, Ports())["SOMOS_MESH_SECRET"] != complete({}, folder / "b", Ports())["SOMOS_MESH_SECRET"]
    )
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in (folder / "secrets").iterdir())


def test_a_real_service_replaces_only_its_own_stand_in(folder: Path) -> None:
    told = complete({"RESEND_URL": "https://mail.example", "RESEND_API_KEY": "re_1"}, folder, Ports())

    assert told["RESEND_URL"] == "https://mail.example"
    assert told["RESEND_API_KEY"] == "re_1"
    assert "RESEND_WEBHOOK_SECRET" not in told
    assert told["EVOLUTION_URL"] == SANDBOX + "/evolution"


def test_results_of_a_real_search_are_not_read_from_made_up_sites(folder: Path) -> None:
    assert "SITES_PROXY" not in complete({"SERPAPI_URL": "https://search.example"}, folder, Ports())


def test_the_sandbox_stays_down_when_every_service_is_real() -> None:
    assert "sandbox" not in embedded(dict.fromkeys(OUTSIDE, "https://real.example"))


def test_a_key_without_its_address_never_reaches_the_stand_in_and_is_mentioned(folder: Path) -> None:
    set_by_person = {"OPENAI_API_KEY": "sk-real"}

    assert complete(set_by_person, folder, Ports())["OPENAI_API_KEY"].startswith("sandbox-")
    assert unused_keys(set_by_person) == [
        "OPENAI_API_KEY não será usada: OPENAI_BASE_URL não está definida, o mundo simulado responde"
    ]


def test_everything_missing_or_wrong_is_named_at_once(folder: Path) -> None:
    told = {
        "EVOLUTION_URL": "evolution.example",
        "RESEND_URL": "https://mail.example",
        "SERPAPI_URL": "https://search.example",
        "DATABASE_URL": "postgresql://app@127.0.0.1/somos",
        "REDIS_URL": "rediss-typo://127.0.0.1",
    }

    found = problems(told, complete(told, folder, Ports()))

    assert sorted(line.partition(":")[0] for line in found) == [
        "DATABASE_OWNER_URL",
        "EVOLUTION_API_KEY",
        "EVOLUTION_URL",
        "EVOLUTION_WEBHOOK_TOKEN",
        "REDIS_URL",
        "RESEND_API_KEY",
        "RESEND_WEBHOOK_SECRET",
        "SERPAPI_KEY",
    ]


def test_a_database_that_does_not_answer_is_named_without_its_password(folder: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}/somos"
    told = {
        "DATABASE_URL": f"postgresql://app:very-secret@{nowhere}",
        "DATABASE_OWNER_URL": f"postgresql://owner:very-secret@{nowhere}",
        "REDIS_URL": f"redis://:very-secret@127.0.0.1:{free_port()}",
    }

    found = problems(told, complete(told, folder, Ports()))

    assert [line.partition(":")[0] for line in found] == ["DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"]
    assert all("não respondeu" in line and "very-secret" not in line for line in found)


def test_a_database_role_that_row_level_security_does_not_bind_is_refused(folder: Path) -> None:
    postgres = start_postgres(folder / "postgres", durable=False)
    valkey = start_valkey(folder / "redis")
    good = {"DATABASE_URL": postgres.url, "DATABASE_OWNER_URL": postgres.owner_url, "REDIS_URL": valkey.url}
    same = {**good, "DATABASE_URL": postgres.owner_url}
    try:
        assert problems(good, complete(good, folder, Ports())) == []
        assert problems(same, complete(same, folder, Ports())) == [
            "DATABASE_URL: use um papel que não seja o dono das tabelas (o de DATABASE_OWNER_URL)."
        ]
    finally:
        postgres.stop()
        valkey.stop()


def test_the_env_file_is_read_as_people_write_it(folder: Path) -> None:
    (folder / ".env").write_text(
        "# real services\n"
        "RESEND_API_KEY=re_1   # from the panel\n"
        "export SERPAPI_KEY='a # b'\n"
        'SOMOS_JWT_PUBLIC_KEY="-----BEGIN-----\\nabc"\n'
        "not a setting\n"
        "EMPTY=\n"
    )

    assert read_env_file(folder / ".env") == {
        "RESEND_API_KEY": "re_1",
        "SERPAPI_KEY": "a # b",
        "SOMOS_JWT_PUBLIC_KEY": "-----BEGIN-----\nabc",
        "EMPTY": "",
    }
    assert read_env_file(folder / "missing") == {}


def test_a_folder_gets_the_ports_it_had_except_one_that_was_taken_meanwhile(folder: Path) -> None:
    first = Ports.free(folder)
    first.keep(folder)
    assert Ports.free(folder) == first
    with socket.create_server(("127.0.0.1", first.redis)):
        again = Ports.free(folder)
    assert again.redis != first.redis
    assert again.gateway == first.gateway
