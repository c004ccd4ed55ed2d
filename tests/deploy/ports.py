"""Ports on loopback."""

import socket
import subprocess
import time


def until_open(port: int, child: "subprocess.Popen[bytes]", within: float = 15) -> None:
    """Wait until the port accepts; fails when the server ends before."""
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        assert child.poll() is None, f"{child.args!r} ended with {child.returncode}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError(f"{child.args!r} did not open port {port}")
