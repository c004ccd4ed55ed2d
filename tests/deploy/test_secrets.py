"""The secrets of a new house, and its first database made from them."""

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError

from somos.mesh.database import engine_for
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role
from somos.policy.tokens import TokenSigner, TokenVerifier
from somos.settings import ROOT
from tests.deploy.clean_server import PASSWORD, clean_server, programs

FIRST = ("person", "ana@casa.com.br", "--name", "Ana Prado")


class NewHouse:
    def __init__(self, folder: Path) -> None:
        self.secrets = folder / "secrets"
        self.env = folder / ".env"
        self.environment = {
            "PATH": os.environ["PATH"],
            "SOMOS_SECRETS": str(self.secrets),
            "SOMOS_ENV": str(self.env),
            "SOMOS_BACKUP_ENV": os.devnull,
            "PG_BIN": str(programs()),
        }

    def __call__(self, *words: str, told: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return self.run(ROOT / "infra" / "secrets", *words, told=told, **more)

    def run(self, *command: str | Path, told: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        environment = {**self.environment, **more}
        asked = list(map(str, command))
        return subprocess.run(asked, env=environment, input=told, capture_output=True, text=True, timeout=100)

    def value(self, name: str) -> str:
        return (self.secrets / name).read_text()


@pytest.fixture
def house(tmp_path: Path) -> NewHouse:
    return NewHouse(tmp_path)


def test_secrets_are_made_once_and_nobody_else_reads_them(house: NewHouse) -> None:
    assert house().returncode == 0
    files = {file.name: file.read_text() for file in house.secrets.iterdir()}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o400 for file in house.secrets.iterdir())
    assert stat.S_IMODE(house.env.stat().st_mode) == 0o600
    env = house.env.read_text()
    again = house()
    assert "criado" not in again.stdout
    assert {file.name: file.read_text() for file in house.secrets.iterdir()} == files
    assert house.env.read_text() == env


def test_what_a_person_wrote_in_env_stays(house: NewHouse) -> None:
    house.env.write_text("SOMOS_DOMAIN=casa.com.br\n")
    house()
    assert house.env.read_text().startswith("SOMOS_DOMAIN=casa.com.br\n")
    assert house.env.read_text().count("SOMOS_DOMAIN=") == 1


def test_the_pair_of_keys_signs_and_verifies(house: NewHouse) -> None:
    house()
    now = datetime.now(UTC)
    someone = Principal(uuid4(), Role.Diretor, Kind.user, "Helena", "s-1")
    token = TokenSigner(house.value("jwt-private-key")).access(someone, now)
    assert TokenVerifier(house.value("jwt-public-key")).verify(token, now).id == someone.id


def test_a_providers_key_comes_by_standard_input_and_never_shows(house: NewHouse) -> None:
    house()
    assert house("list").returncode == 1
    assert "falta  serpapi-key" in house("list").stdout
    done = house("set", "serpapi-key", told="uma-chave")
    assert house.value("serpapi-key") == "uma-chave"
    assert "uma-chave" not in done.stdout + done.stderr + house("list").stdout
    assert house("set", "serpapi-key", told="").returncode == 1
    assert house.value("serpapi-key") == "uma-chave"


@pytest.mark.parametrize(("platform", "program"), [("openfaas", "faas-cli"), ("kubernetes", "kubectl")])
def test_a_platform_gets_exactly_what_its_functions_mount(
    house: NewHouse, tmp_path: Path, platform: str, program: str
) -> None:
    house()
    house("set", "serpapi-key", told="uma-chave")
    (tmp_path / "bin").mkdir()
    stand_in = tmp_path / "bin" / program
    stand_in.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/log\n')
    stand_in.chmod(0o755)
    done = house("push", platform, PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    given = {line.removeprefix("entregue: ") for line in done.stdout.splitlines()}
    assert {"database-url", "jwt-private-key", "mesh-secret", "serpapi-key"} <= given
    assert not given & {"database-owner-url", "database-admin-url", "backup-password", "postgres-password"}
    assert "uma-chave" not in (tmp_path / "log").read_text()


def test_from_a_bare_server_to_tables_that_bind_the_application(house: NewHouse) -> None:
    with clean_server() as admin:
        place = make_url(admin)
        where = f"{place.host}:{place.port}"
        house("set", "postgres-password", told=PASSWORD)
        house(DATABASE_HOST=where, DATABASE_DIRECT=where)
        for _ in range(2):  # safe to repeat
            made = house.run(ROOT / "infra" / "postgres" / "roles")
            assert made.returncode == 0, made.stderr
        told = {
            "SOMOS_STACK": "1",
            "DATABASE_URL": house.value("database-url"),
            "DATABASE_OWNER_URL": house.value("database-owner-url"),
        }
        somos = Path(sys.prefix) / "bin" / "somos"
        migrated = house.run(somos, "migrate", **told)
        assert migrated.returncode == 0, migrated.stderr
        engine = engine_for(house.value("database-url"), pool_size=1)
        with engine.connect() as connection:
            assert connection.execute(text("select count(*) from crm.pipelines")).scalar_one() == 0  # nobody acts
            with pytest.raises(ProgrammingError, match="permission denied"):
                connection.execute(text("delete from mesh.audit"))
        engine.dispose()
        # The first person, opened by hand because nobody could sign in to do it.
        said = [house.run(somos, *FIRST, told="uma senha bem comprida\n" * 2, **told) for _ in range(2)]
        assert [one.returncode for one in said] == [0, 1], said[0].stderr
        assert "já tem conta" in said[1].stderr
        _grafana_reads_its_dashboards_and_nothing_else(house, where)


def _grafana_reads_its_dashboards_and_nothing_else(house: NewHouse, where: str) -> None:
    for _ in range(2):
        made = house.run(ROOT / "infra" / "postgres" / "watcher")
        assert made.returncode == 0, made.stderr
    engine = engine_for(f"postgresql://somos_watch:{house.value('watch-password').strip()}@{where}/somos", pool_size=1)
    asked = [
        target["rawSql"]
        for board in (ROOT / "infra" / "monitoring" / "dashboards").glob("*.json")
        for panel in json.loads(board.read_text())["panels"]
        for target in panel["targets"]
        if "rawSql" in target
    ]
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from crm.pipelines")).scalar_one() > 0  # of all, not of nobody
        for query in asked:
            connection.execute(text(query.replace(":", r"\:")))
    for refused in ("select * from auth.users", "set default_transaction_read_only = off; delete from crm.deals"):
        with engine.connect() as connection, pytest.raises(DBAPIError, match=r"permission denied|read-only"):
            connection.execute(text(refused))
    engine.dispose()
