"""Loopback ports: a free one, and who holds one that is not."""

import contextlib
import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def reserved_port() -> socket.socket:
    """A free port that nobody else is given until the socket closes; those who share ports (granian) may serve on it.

    Servers that share would otherwise answer each other's requests, when two of them were told the same free port.
    """
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((LOOPBACK, 0))
    return bound


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port that only lingers in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def taken(port: int, what: str) -> str | None:
    """One line for a port that something else holds; says who, when the system tells."""
    if is_free(port):
        return None
    holder = holder_of(port)
    return f"a porta {port} ({what}) já está em uso" + (f" por {holder}" if holder else "")


def holder_of(port: int) -> str | None:
    """`pid 123 (nginx)` for the process listening on a port, when the system shows it."""
    import psutil

    with contextlib.suppress(psutil.Error):
        for one in psutil.net_connections("tcp"):
            if one.pid and one.status == psutil.CONN_LISTEN and one.laddr.port == port:
                return f"pid {one.pid} ({' '.join(psutil.Process(one.pid).cmdline())[:80]})"
    return None
