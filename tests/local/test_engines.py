"""The embedded servers: started, shared, stopped, and cleaned up after whoever was killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import create_engine, text

from somos.local.addresses import free_port
from somos.local.processes import Identity, wait_for
from tests.harness.engines import PortTaken, Postgres, Started, Valkey, start_postgres, start_valkey


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


@pytest.fixture
def postgres(folder: Path) -> Iterator[Postgres]:
    server = start_postgres(folder / "postgres", durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(folder: Path) -> Iterator[Valkey]:
    server = start_valkey(folder / "valkey")
    yield server
    server.stop()


OWN_POWERS = "SELECT {} FROM pg_roles WHERE rolname = current_user"


def ask(url: str, question: str) -> object:
    engine = create_engine(url, connect_args={"ssl_context": False})
    try:
        with engine.begin() as connection:
            answer = connection.execute(text(question))
            return answer.scalar() if answer.returns_rows else None
    finally:
        engine.dispose()


def test_the_application_connects_with_a_role_that_row_level_security_binds(postgres: Postgres) -> None:
    assert ask(postgres.url, "SELECT current_user") == "somos_app"
    assert ask(postgres.url, OWN_POWERS.format("rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb")) is False


def test_the_owner_creates_tables_databases_and_extensions(postgres: Postgres) -> None:
    ask(postgres.owner_url, "CREATE EXTENSION IF NOT EXISTS pg_trgm")
    ask(postgres.owner_url, "CREATE TABLE IF NOT EXISTS public.kept (word text)")

    assert ask(postgres.owner_url, OWN_POWERS.format("rolcreatedb")) is True
    assert ask(postgres.owner_url, OWN_POWERS.format("rolbypassrls OR rolsuper")) is False


def test_nobody_connects_without_a_password(postgres: Postgres) -> None:
    place = postgres.url.split("@")[1]

    with pytest.raises(Exception, match=r"28P01|password"):
        ask(f"postgresql+pg8000://somos_app:wrong@{place}", "SELECT 1")
    with pytest.raises(Exception, match=r"28000|pg_hba"):
        ask(f"postgresql+pg8000://postgres:any@{place}", "SELECT 1")


def test_portuguese_words_are_compared_without_regard_to_case(postgres: Postgres) -> None:
    assert ask(postgres.url, "SELECT lower('AÇÃO') = 'ação'") is True


def test_data_is_still_there_after_a_stop_and_a_start(folder: Path) -> None:
    first = start_postgres(folder / "kept")
    ask(first.owner_url, "CREATE TABLE words (word text)")
    ask(first.owner_url, "INSERT INTO words VALUES ('ficou')")
    first.stop()

    second = start_postgres(folder / "kept")
    try:
        assert not first.alive()
        assert ask(second.owner_url, "SELECT word FROM words") == "ficou"
    finally:
        second.stop()


def test_a_killed_server_starts_again_with_its_data(folder: Path) -> None:
    first = start_postgres(folder / "killed")
    ask(first.owner_url, "CREATE TABLE words (word text)")
    ask(first.owner_url, "INSERT INTO words VALUES ('ficou')")
    os.kill(first.process.pid, signal.SIGKILL)
    assert wait_for(lambda: not first.process.alive(), 10)

    second = start_postgres(folder / "killed")
    try:
        assert ask(second.owner_url, "SELECT word FROM words") == "ficou"
    finally:
        second.stop()
        first.stop()


def test_a_second_start_in_the_same_folder_shares_the_living_server(postgres: Postgres, valkey: Valkey) -> None:
    same_postgres = start_postgres(postgres.folder, durable=False)
    same_valkey = start_valkey(valkey.folder)

    assert (same_postgres.process, same_postgres.url) == (postgres.process, postgres.url)
    assert (same_valkey.process, same_valkey.url) == (valkey.process, valkey.url)
    same_postgres.stop()
    same_valkey.stop()
    assert postgres.alive()
    assert valkey.alive()


STARTER = """
import sys
from pathlib import Path
from tests.harness.engines import start_postgres, start_valkey
folder = Path(sys.argv[1])
servers = start_postgres(folder / "pg", durable=False), start_valkey(folder / "vk")
print(*(server.process.pid for server in servers), flush=True)
sys.stdin.read()
"""


def start_elsewhere(folder: Path) -> "tuple[subprocess.Popen[str], list[Identity]]":
    root = Path(__file__).parents[2]
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'shared'}"},
    )
    assert starter.stdout is not None
    found = [Identity.of(int(pid)) for pid in starter.stdout.readline().split()]
    assert len(found) == 2
    return starter, [identity for identity in found if identity]


def end(starter: "subprocess.Popen[str]") -> None:
    starter.kill()
    starter.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent death signal is Linux's")
def test_servers_end_when_their_starter_is_killed(tmp_path: Path) -> None:
    starter, servers = start_elsewhere(tmp_path)
    assert all(server.alive() for server in servers)

    end(starter)

    assert wait_for(lambda: not any(server.alive() for server in servers), 10)


def test_a_leftover_of_a_killed_starter_is_stopped_and_started_anew(folder: Path) -> None:
    leftover = start_valkey(folder / "leftover")
    # As if the starter had been killed and the kernel had not cleaned up: its recorded pid names nobody now.
    path = folder / "leftover" / "process.json"
    record = json.loads(path.read_text()) | {"starter_started": "long ago"}
    path.write_text(json.dumps(record))

    again = start_valkey(folder / "leftover")
    try:
        assert again.process != leftover.process
        assert not leftover.alive()
        assert again.alive()
    finally:
        again.stop()
        leftover.stop()


def test_a_stranger_that_got_a_recorded_pid_is_left_alone(folder: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    (folder / "reused").mkdir()
    Started(stranger.pid, "another time", 1, 1, "another time").write(folder / "reused")

    server = start_valkey(folder / "reused")
    try:
        assert stranger.poll() is None
        assert server.alive()
    finally:
        server.stop()
        stranger.communicate()


def test_lost_passwords_do_not_lock_anyone_out_of_the_data(folder: Path) -> None:
    first = start_postgres(folder / "lost", durable=False)
    first.stop()
    for secret in (folder / "lost" / "secrets").iterdir():
        secret.unlink()

    second = start_postgres(folder / "lost", durable=False)
    try:
        assert second.url != first.url
        assert ask(second.url, "SELECT 1") == 1
        assert ask(second.owner_url, "SELECT 1") == 1
    finally:
        second.stop()


def test_an_initialisation_that_was_cut_short_is_done_again(folder: Path) -> None:
    half = folder / "half" / "data.part"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    server = start_postgres(folder / "half", durable=False)
    try:
        assert ask(server.url, "SELECT 1") == 1
    finally:
        server.stop()


def test_a_taken_port_is_reported_with_who_holds_it(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=f"a porta {port} .redis. já está em uso por pid {os.getpid()}"):
            start_valkey(tmp_path / "valkey", port=port)


def test_a_server_listens_where_it_is_told_and_only_on_loopback(tmp_path: Path) -> None:
    port = free_port()
    server = start_valkey(tmp_path / "valkey", port=port)
    try:
        assert server.port == port
        listening = Path("/proc/net/tcp").read_text().splitlines()[1:]
        bound = {row.split()[1].split(":")[0] for row in listening if row.split()[1].endswith(f":{port:04X}")}
        assert "0100007F" in bound
        assert "00000000" not in bound
    finally:
        server.stop()


def test_valkey_asks_for_its_password_and_keeps_what_it_was_told(folder: Path) -> None:
    first = start_valkey(folder / "memory")
    client = redis.Redis.from_url(first.url)
    client.set("word", "ficou")
    client.close()
    stranger = redis.Redis(port=first.port, retry=Retry(NoBackoff(), 0))
    with pytest.raises(redis.AuthenticationError):
        stranger.ping()
    stranger.close()
    first.stop()

    second = start_valkey(folder / "memory")
    client = redis.Redis.from_url(second.url)
    try:
        assert client.get("word") == b"ficou"
    finally:
        client.close()
        second.stop()


def test_secrets_are_readable_by_their_owner_only(valkey: Valkey) -> None:
    secrets = valkey.folder / "secrets"

    assert secrets.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in secrets.iterdir())
    assert (valkey.folder / "valkey.conf").stat().st_mode & 0o077 == 0
