"""The drill: a backup, then more of the story, a disaster, a clean machine. Nothing leaves a second time."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from somos.mesh import clock, outbox
from somos.mesh.database import engine_for
from somos.mesh.loader import load
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime, use
from somos.mesh.tables import Root
from somos.migrations import load_tables, migrate
from somos.policy.tokens import TokenSigner
from somos.settings import ROOT, Settings
from tests.conftest import _with_clock, empty
from tests.deploy.clean_server import clean_server, fresh_database, programs, within
from tests.flows.office import Office, opened
from tests.harness.mesh import Mesh
from tests.harness.world import World

# What holding changes by itself; every other table comes back row for row.
TOUCHED = {"mesh.audit", "mesh.audit_unsealed", "mesh.deliveries", "mesh.heartbeats", "mesh.outbox", "sdr.approvals"}

# One database per test process: two of them may play the drill at once.
HOUSE = f"somos_house_{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"
pytestmark = pytest.mark.drill


@dataclass
class House:
    """Where a machine keeps its secrets, and the share that outlives it."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        environment = {**self.environment, **more}
        return subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, timeout=110)

    def backup(self, *options: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return self.run(ROOT / "infra" / "backup" / "backup", *options, **more)

    def names(self) -> list[str]:
        return self.run(ROOT / "scripts" / "restore", "--list").stdout.split()


@pytest.fixture(scope="module")
def migrated(database_urls: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """A database as `somos migrate` makes it: the application's and the owner's address."""
    with fresh_database(database_urls[1], HOUSE) as owner:
        app = within(database_urls[0], HOUSE)
        migrate(owner, app)
        yield app, owner


@pytest.fixture
def office(migrated: tuple[str, str], settings: Settings, keys: tuple[str, str], outside: World) -> Iterator[Office]:
    functions = load()
    engine = engine_for(migrated[0])
    settings = replace(settings, database_url=migrated[0], database_owner_url=migrated[1])
    runtime = Runtime(settings, engine=engine, routes=Routes.of(functions.values()))
    for mesh in _with_clock(Mesh(runtime, functions, TokenSigner(keys[0]))):
        mesh.time = datetime.now(UTC)  # the machines that are restored have the real time
        with opened(mesh, outside) as made:
            yield made
    engine.dispose()
    empty(migrated[1])


@pytest.fixture
def house(needs: Callable[[str, str], str], tmp_path: Path, office: Office) -> House:
    needs("rclone", "rclone")
    settings = office.mesh.runtime.settings
    found = _house(tmp_path, "house")
    _keep(found.folder / "secrets", "database-url", settings.database_url)
    _keep(found.folder / "secrets", "database-owner-url", settings.database_owner_url)
    _keep(found.folder / "secrets", "suppression-key", settings.suppression_key)
    return found


def _house(tmp_path: Path, name: str) -> House:
    """A machine with nothing but the way to the copies."""
    folder = tmp_path / name
    secrets = folder / "secrets"
    _keep(secrets, "backup-password", "uma-senha-guardada-no-cofre")
    _keep(secrets, "backup-salt", "um-sal-guardado-no-cofre")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "SOMOS_BACKUP_ENV": os.devnull,
        "SOMOS_SECRETS": str(secrets),
        "RCLONE_CONFIG": str(folder / "rclone.conf"),
        "NAS_FOLDER": str(tmp_path / "nas"),
        "BACKUP_REMOTES": "nas-crypt:",
        "BACKUP_LOCK": str(folder / "lock"),
        "BACKUP_STAGE": str(folder),
        "BACKUP_METRICS": str(folder / "backup.prom"),
        "PG_BIN": str(programs()),
        "SOMOS": str(Path(sys.prefix) / "bin" / "somos"),
        "TZ": "America/Sao_Paulo",
    }
    made = House(folder, environment)
    assert made.run(ROOT / "infra" / "backup" / "remotes").returncode == 0
    return made


def _keep(folder: Path, name: str, value: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(value)
    (folder / name).chmod(0o600)


@pytest.fixture
def new_machine(tmp_path: Path, office: Office, house: House) -> Iterator[House]:
    """A clean server and an empty machine; its database's addresses are said by the environment."""
    settings = office.mesh.runtime.settings
    found = _house(tmp_path, "new")
    with clean_server() as admin:
        place = make_url(admin)
        for name, url in (("DATABASE_URL", settings.database_url), ("DATABASE_OWNER_URL", settings.database_owner_url)):
            there = make_url(url).set(host=place.host, port=place.port, database="somos")
            found.environment[name] = there.render_as_string(hide_password=False)
        found.environment["DATABASE_ADMIN_URL"] = admin
        yield found


def test_after_a_disaster_the_house_goes_on_and_nothing_leaves_twice(
    office: Office,
    house: House,
    new_machine: House,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The story, half told: some messages are out and answered, one person asked never to be written to again.
    mesh = office.mesh
    office.search(limit=16)
    qualified = office.leads(state="qualified")
    office.campaign(qualified[:4])
    office.campaign(qualified[4:8], "email")
    first, *rest = office.messages("awaiting_approval")
    office.approve(first)
    office.settle()
    suppressed = {"phone": "+5511987654321", "reason": "pediu por telefone"}
    office.ask("POST /api/v1/suppressions", suppressed)

    # In this moment: two are approved and wait for a worker, one is in the middle of its call.
    calling, *waiting = rest[:3]
    office.approve(calling)
    mesh.drain(only=lambda claim: claim.type == "sdr.message_approved")
    [on_its_way] = mesh.rows(
        "select d.id from mesh.deliveries d join mesh.outbox o on o.id = d.event_id "
        "where d.function = 'sdr-on-message-claimed' and o.data ->> 'message_id' = :id",
        id=calling["id"],
    )
    mesh.rows(
        "insert into mesh.effects (delivery_id, name, operation, state, arguments, lease_until, started_at) "
        "values (:id, 'send', 'Gate.send', 'started', '{}', :now, :now) returning name",
        id=on_its_way["id"],
        now=mesh.time,
    )
    office.approve(*waiting)
    before = _counts(mesh.runtime.settings.database_owner_url)

    began = datetime.now(UTC)
    done = house.backup()
    assert done.returncode == 0, done.stdout + done.stderr
    backup_took = datetime.now(UTC) - began
    [name] = house.names()

    # The house works on: those two leave, and so does the one whose call was under way, as far as the world knows.
    mesh.advance(minutes=5)
    office.settle()
    left = office.received()
    assert len(left) >= 3
    disaster = datetime.now(UTC)

    # The machine is gone. On the new one: scripts/restore, and then everything is switched on.
    came = new_machine.run(ROOT / "scripts" / "restore")
    assert came.returncode == 0, came.stdout + came.stderr
    assert "a cadeia de auditoria confere" in came.stdout
    assert (new_machine.folder / "secrets" / "suppression-key").read_text() == mesh.runtime.settings.suppression_key
    after = _counts(within(new_machine.environment["DATABASE_ADMIN_URL"], "somos"), unforced=False)
    assert {t: n for t, n in after.items() if t not in TOUCHED} == {t: n for t, n in before.items() if t not in TOUCHED}

    with _moved(office, new_machine) as there:
        states = {message["id"]: message for message in there.messages()}
        assert states[calling["id"]]["state"] == "unknown"
        assert {states[message["id"]]["state"] for message in waiting} == {"awaiting_approval"}
        assert all("confira na conversa" in states[m["id"]]["waiting_for"] for m in [calling, *waiting])
        assert states[first["id"]]["sent_at"]
        assert there.mesh.one("select count(*) from auth.users where sessions_valid_from is null") == 0

        # Workers, timers, and a person who replays every dead delivery: nothing leaves.
        for _ in range(4):
            there.mesh.tick()
            there.settle()
            there.mesh.advance(hours=7)
        dead = [UUID(str(row["id"])) for row in there.mesh.rows("select id from mesh.deliveries where state = 'dead'")]
        assert dead
        assert all(outbox.replay(there.mesh.runtime.engine, id) for id in dead)
        there.settle()
        assert there.received() == left
        assert there.mesh.one("select broken from mesh.verify_audit(0, 1000000)") is None
        assert there.mesh.one("select count(*) from sdr.suppressions") == before["sdr.suppressions"]

        # Only a person's new word sends again, once.
        _sign_in(there, office)
        one = next(message for message in there.messages("awaiting_approval") if message["id"] == waiting[0]["id"])
        there.approve(one)
        there.settle()
        assert len(there.received()) == len(left) + 1

    took = re.search(r"RTO: (\d+) s", came.stdout)
    assert took
    rpo = disaster - datetime.strptime(name, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    with capsys.disabled():
        rows = sum(before.values())
        print(
            f"\ndrill: {rows} rows in {len(before)} tables; backup {backup_took.total_seconds():.1f} s; "
            f"RPO {rpo.total_seconds():.0f} s here (a night at most with the nightly timer); RTO {took[1]} s"
        )


def test_a_backup_is_unreadable_where_it_is_kept(house: House, tmp_path: Path) -> None:
    assert house.backup().returncode == 0
    stored = [file for file in (tmp_path / "nas").rglob("*") if file.is_file()]
    assert len(stored) == 4
    assert not any(word in str(file) for file in stored for word in ("database", "backups", "manifest"))
    assert not any(b"PGDMP" in file.read_bytes() or b"suppression" in file.read_bytes() for file in stored)


def test_a_changed_backup_is_refused(house: House, new_machine: House, tmp_path: Path) -> None:
    assert house.backup().returncode == 0
    largest = max((file for file in (tmp_path / "nas").rglob("*") if file.is_file()), key=lambda f: f.stat().st_size)
    raw = bytearray(largest.read_bytes())
    raw[len(raw) // 2] ^= 1
    largest.write_bytes(raw)
    came = new_machine.run(ROOT / "scripts" / "restore")
    assert came.returncode == 2
    assert "erro:" in came.stderr


def test_a_database_with_data_is_not_overwritten(house: House) -> None:
    assert house.backup().returncode == 0
    came = house.run(ROOT / "scripts" / "restore")
    assert came.returncode == 3
    assert "--replace" in came.stderr


def test_a_remote_without_a_copy_is_said_and_the_good_one_stays(house: House) -> None:
    with (house.folder / "rclone.conf").open("a") as conf:
        lines = (house.folder / "rclone.conf").read_text().split("[nas-crypt]")[1]
        away = re.sub(r"remote = .*", "remote = /dev/null/away", lines)
        conf.write(f"\n[r2-crypt]{away}")
    done = house.backup(BACKUP_REMOTES="r2-crypt: nas-crypt:")
    assert done.returncode == 3
    assert "r2-crypt: não tem uma cópia boa" in done.stderr
    assert len(house.names()) == 1
    assert "somos_backup_exit_code 3" in (house.folder / "backup.prom").read_text()


def test_nothing_leaves_the_machine_without_being_encrypted(house: House, tmp_path: Path) -> None:
    done = house.backup(BACKUP_REMOTES=str(tmp_path / "nas"))
    assert done.returncode == 1
    assert "sem cifra" in done.stderr


def test_keys_that_others_may_read_stop_a_backup(house: House) -> None:
    (house.folder / "rclone.conf").chmod(0o644)
    assert "chmod 600" in house.backup().stderr


def test_a_dry_run_says_what_would_be_done_and_does_nothing(house: House, tmp_path: Path) -> None:
    said = house.backup("--dry-run")
    assert said.returncode == 0
    assert "faria" in said.stdout
    assert not (tmp_path / "nas").exists()


def test_old_backups_thin_out_to_days_weeks_and_months() -> None:
    now = datetime(2026, 10, 5, 4, tzinfo=UTC)
    names = {(now - timedelta(hours=6 * n)).strftime("%Y%m%dT%H%M%SZ") for n in range(4 * 800)}
    gone = subprocess.run(
        [ROOT / "infra" / "backup" / "keep", "48", "14", "8", "12"],
        input="\n".join([*names, "outra-coisa"]), env={**os.environ, "NOW": str(int(now.timestamp()))},
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    kept = sorted(names - set(gone), reverse=True)
    assert kept[0] == max(names)
    assert len({name[:8] for name in kept}) >= 14 + 4 + 9
    assert len(kept) <= 9 + 13 + 8 + 12
    assert kept[-1][:6] == "202511"  # the twelfth month
    assert "outra-coisa" not in gone


def _counts(url: str, *, unforced: bool = True) -> dict[str, int]:
    """How many rows each table truly has: row security aside, as the owner of this moment or as the superuser."""
    engine = engine_for(url, pool_size=1)
    load_tables()
    tables = sorted(table.fullname for table in Root.metadata.tables.values() if table.schema)
    with engine.connect() as connection:
        for table in tables if unforced else []:
            connection.execute(text(f"alter table {table} no force row level security"))
        found = {t: int(connection.execute(text(f"select count(*) from {t}")).scalar_one()) for t in tables}
        connection.rollback()
    engine.dispose()
    return found


@contextmanager
def _moved(office: Office, machine: House) -> Iterator[Office]:
    """The same people and the same world, over the new machine's database."""
    url = machine.environment["DATABASE_URL"]
    runtime = Runtime(
        replace(office.mesh.runtime.settings, database_url=url),
        engine=engine_for(url),
        routes=office.mesh.runtime.routes,
    )
    mesh = Mesh(runtime, office.mesh.functions, office.mesh.signer)
    use(runtime)
    mesh.time = datetime.now(UTC)
    clock.use(lambda: mesh.time)  # the fixture puts it back
    with opened(mesh, office.world) as moved:
        _sign_in(moved, office)
        yield moved
    runtime.engine.dispose()


def _sign_in(moved: Office, office: Office) -> None:
    """Now: tokens from before the restore are over."""
    moved.mesh.time = datetime.now(UTC) + timedelta(seconds=2)
    moved.__dict__["helena"] = moved.mesh.signed_in(office.helena.principal)
