"""Cloudflare's addresses: taken in when they are a list of networks, and left as they were in any other case."""

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from somos.settings import ROOT

SHIPPED = ROOT / "gateway" / "nginx" / "real_ip.conf"
RANGES = [line.split()[1].rstrip(";") for line in SHIPPED.read_text().splitlines() if line.startswith("set_real")]


class Cloudflare:
    """What it publishes, over HTTP."""

    def __init__(self) -> None:
        self.pages: dict[str, str | None] = {
            "/ips-v4": "\n".join(one for one in RANGES if ":" not in one),  # without a last line break, as theirs
            "/ips-v6": "\n".join(one for one in RANGES if ":" in one),
        }
        pages = self.pages

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path)
                self.send_response(503 if page is None else 200)
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def refresh(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        told = {"PATH": os.environ["PATH"], "CLOUDFLARE_IPS": f"http://127.0.0.1:{self.server.server_port}"}
        command = [ROOT / "infra" / "hardening" / "cloudflare", *words]
        return subprocess.run(command, env=told, capture_output=True, text=True, timeout=30)


@pytest.fixture
def cloudflare() -> Iterator[Cloudflare]:
    made = Cloudflare()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_new_network_comes_in_an_old_one_goes_and_the_second_time_nothing_changes(
    cloudflare: Cloudflare, tmp_path: Path
) -> None:
    file = tmp_path / "real_ip.conf"
    file.write_text(SHIPPED.read_text())
    assert cloudflare.refresh(file).stdout == f"em dia: {len(RANGES)} redes\n"
    cloudflare.pages["/ips-v4"] = str(cloudflare.pages["/ips-v4"]).replace("104.24.0.0/14", "198.18.0.0/15\r")
    said = cloudflare.refresh("--dry-run", file).stdout
    assert (said, file.read_text()) == ("sai 104.24.0.0/14;\nentra 198.18.0.0/15;\n", SHIPPED.read_text())
    assert cloudflare.refresh(file).returncode == 0
    written = file.read_text()
    assert "set_real_ip_from 198.18.0.0/15;\n" in written
    assert "104.24.0.0/14" not in written
    assert written.endswith("real_ip_header CF-Connecting-IP;\n")
    assert file.stat().st_mode & 0o777 == 0o644
    assert "em dia" in cloudflare.refresh(file).stdout
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_whatever_goes_wrong_the_old_list_stays(cloudflare: Cloudflare, tmp_path: Path) -> None:
    file = tmp_path / "real_ip.conf"
    file.write_text("set_real_ip_from 192.0.2.0/24;\n")
    wrong: list[dict[str, str | None]] = [
        {"/ips-v4": None},
        {"/ips-v6": None},
        {"/ips-v4": ""},
        {"/ips-v6": "<html>espere um pouco</html>"},
        {"/ips-v4": "0.0.0.0/0"},  # everybody could speak for everybody
        {"/ips-v6": "::/0"},
        {"/ips-v4": "198.18.0.0/15;\ninclude /etc/passwd"},
    ]
    good = dict(cloudflare.pages)
    for pages in wrong:
        cloudflare.pages |= {**good, **pages}
        done = cloudflare.refresh(file)
        assert (done.returncode, done.stdout) == (1, ""), pages
        assert "a lista de antes continua" in done.stderr
        assert file.read_text() == "set_real_ip_from 192.0.2.0/24;\n"
