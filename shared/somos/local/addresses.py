"""Loopback ports: a free one, and who holds one that is not."""

import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


class PortTaken(Exception):
    """A port that something else listens on; says who, when the system tells."""

    def __init__(self, port: int, what: str) -> None:
        holder = holder_of(port)
        self.port = port
        super().__init__(f"a porta {port} ({what}) já está em uso" + (f" por {holder}" if holder else ""))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def held_port() -> socket.socket:
    """A free port that nobody else is given until the socket closes; those who share ports (granian) may serve on it.

    Servers that share would otherwise answer each other's requests, when two of them were told the same free port.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((LOOPBACK, 0))
    return held


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port that only lingers in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def require_free(port: int, what: str) -> None:
    if not is_free(port):
        raise PortTaken(port, what)


def answers(port: int, timeout: float = 0.2) -> bool:
    """Something accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=timeout).close()
    except OSError:
        return False
    return True


def holder_of(port: int) -> str | None:
    """`pid 123 (nginx)` for the process listening on a port, when /proc lets us see it."""
    inodes = _listening(port)
    if not inodes:
        return None
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(_inode(handle) in inodes for handle in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().split(b"\0")
                return f"pid {process.name} ({b' '.join(words).decode(errors='replace').strip()[:80]})"
        except OSError:
            continue  # gone meanwhile, or another user's
    return None


def _inode(handle: Path) -> str:
    try:
        target = str(handle.readlink())
    except OSError:
        return ""
    return target.removeprefix("socket:[").removesuffix("]") if target.startswith("socket:[") else ""


def _listening(port: int) -> set[str]:
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(fields[9])
    return inodes
