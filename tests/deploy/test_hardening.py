"""The hardening script: says first, changes once, and never locks its owner out."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from somos.settings import ROOT

HARDEN = ROOT / "infra" / "hardening" / "harden"
FILES = ROOT / "infra" / "hardening" / "files"


def _run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(HARDEN), *words], capture_output=True, text=True)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    said = _run("--dry-run", "--root", str(tmp_path))
    assert said.returncode == 0, said.stderr
    assert "muda /etc/ssh/sshd_config.d/10-somos.conf" in said.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_second_run_changes_nothing(tmp_path: Path) -> None:
    assert "7 mudança(s)" in _run("--root", str(tmp_path)).stdout
    assert (tmp_path / "var/log/somos/nginx.log").exists()  # fail2ban would not start without it
    assert _run("--root", str(tmp_path)).stdout == "nada a mudar\n"
    (tmp_path / "etc/sysctl.d/90-somos.conf").write_text("outra coisa")
    assert "1 mudança(s)" in _run("--root", str(tmp_path)).stdout


def test_ssh_takes_keys_only_on_its_own_port(tmp_path: Path) -> None:
    _run("--root", str(tmp_path))
    written = tmp_path / "etc/ssh/sshd_config.d/10-somos.conf"
    assert written.stat().st_mode & 0o777 == 0o600
    said = dict(line.split(None, 1) for line in written.read_text().splitlines() if line[:1].isalpha())
    assert said["Port"] == "2222"
    assert said["PasswordAuthentication"] == "no"
    assert said["PermitRootLogin"] == "no"
    assert said["MaxAuthTries"] == "3"


def test_only_three_ports_stay_open_in_the_plan() -> None:
    said = _run("--dry-run").stdout
    assert sorted(re.findall(r"ufw allow (\S+)", said)) == ["2222/tcp", "443/tcp", "80/tcp"]
    assert "ufw default deny incoming" in said


def test_the_ban_reads_the_edge_s_own_log_line(needs: Callable[[str, str], str], tmp_path: Path) -> None:
    """By fail2ban itself, which takes the time out of a line before it looks at the rest."""
    program = needs("fail2ban-regex", "fail2ban")
    template = (ROOT / "gateway" / "nginx" / "nginx.conf.template").read_text()
    assert '{"at":"$time_iso8601","ip":"$remote_addr","method":"$request_method","path":"$uri"' in template
    requests = [
        ("203.0.113.1", "POST", "/api/v1/auth/login", 401),
        ("2001:db8::2", "POST", "/api/v1/auth/login", 429),
        ("203.0.113.3", "GET", "/api/v1/deals", 429),
        ("203.0.113.4", "GET", "/api/v1/deals", 401),
        ("203.0.113.5", "POST", "/api/v1/auth/login", 200),
        ("203.0.113.6", "GET", '/","status":429,', 404),  # a path that pretends
    ]
    log = tmp_path / "nginx.log"
    at = {"at": "2026-11-23T10:00:00-03:00"}
    names = ("ip", "method", "path", "status")
    lines = [json.dumps(at | dict(zip(names, one, strict=True)), separators=(",", ":")) for one in requests]
    log.write_text("".join(f'{line[:-1]},"bytes":1}}\n' for line in lines))
    ran = subprocess.run(
        [program, "--out", "ip", log, FILES / "fail2ban-filter.conf"], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout.split() == ["203.0.113.1", "2001:db8::2", "203.0.113.3"]


def test_the_script_is_clean(needs: Callable[[str, str], str]) -> None:
    shellcheck = needs("shellcheck", "shellcheck")
    ran = subprocess.run([shellcheck, str(HARDEN)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
