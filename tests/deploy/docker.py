"""Debian's Docker daemon, one of the test's own: its socket and all that it keeps live in a folder that goes away."""

import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from somos.local.processes import wait_for


class NoDaemon(Exception):
    """It does not start here; the text says why."""


@dataclass(frozen=True)
class Docker:
    """The client of one daemon."""

    program: str
    socket: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DOCKER_HOST": f"unix://{self.socket}", "DOCKER": self.program}

    def run(self, *said: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
        """What it answered, however it went."""
        done = subprocess.run([self.program, *said], env=self.environment, input=stdin, capture_output=True)
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def __call__(self, *said: str, stdin: bytes | None = None) -> str:
        done = self.run(*said, stdin=stdin)
        assert done.returncode == 0, f"docker {' '.join(said)}: {done.stderr}"
        return done.stdout.strip()

    def inspect(self, what: str) -> Any:
        return json.loads(self("inspect", what))[0]


@contextmanager
def daemon(server: str, client: str, folder: Path) -> Iterator[Docker]:
    """Without a bridge and without touching the firewall: containers use the machine's own loopback."""
    log = folder / "dockerd.log"
    told = ["--bridge=none", "--iptables=false", "--ip-masq=false", f"--host=unix://{folder / 'socket'}"]
    told += [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    with log.open("wb") as written:
        child = subprocess.Popen([server, *told], stdout=written, stderr=subprocess.STDOUT)
    docker = Docker(client, folder / "socket")
    try:
        wait_for(lambda: child.poll() is not None or docker.run("version").returncode == 0, 30, every=0.2)
        if child.poll() is not None or docker.run("version").returncode:
            raise NoDaemon(log.read_text()[-500:])
        yield docker
    finally:
        for left in docker.run("ps", "--all", "--quiet").stdout.split():
            docker.run("rm", "--force", left)
        child.terminate()
        child.wait(30)
        # It leaves its network's name mounted, and a folder that holds a mount cannot go away.
        for line in Path("/proc/mounts").read_text().splitlines():
            if (place := line.split()[1]).startswith(f"{folder}/"):
                subprocess.run(["umount", place], check=False)


def archive(files: dict[str, str]) -> bytes:
    """A tar of programs, for `docker import`."""
    made = BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.mode, entry.size = 0o755, len(content.encode())
            tar.addfile(entry, BytesIO(content.encode()))
    return made.getvalue()
