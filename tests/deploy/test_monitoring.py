"""Alert rules and dashboards: checked by Prometheus's own tools, and against what the mesh really exports."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text

from somos.mesh.metrics import MeshMetrics
from somos.settings import ROOT
from tests.harness.mesh import Mesh

MONITORING = ROOT / "infra" / "monitoring"
BOARDS = sorted((MONITORING / "dashboards").glob("*.json"))
OURS = re.compile(r"\bsomos_[a-z_]+")


def _targets(board: Path) -> list[dict[str, Any]]:
    return [target for panel in json.loads(board.read_text())["panels"] for target in panel["targets"]]


def _promtool(program: str, *words: str) -> None:
    ran = subprocess.run([program, *words], capture_output=True, text=True, cwd=MONITORING)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_alert_rules_fire_when_they_should_and_only_then(needs: Callable[[str, str], str]) -> None:
    promtool = needs("promtool", "prometheus")
    _promtool(promtool, "check", "config", "prometheus.yml")
    _promtool(promtool, "test", "rules", "alerts_test.yml")


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_every_query_of_a_dashboard_is_one(needs: Callable[[str, str], str], board: Path, tmp_path: Path) -> None:
    promtool = needs("promtool", "prometheus")
    queries = [target["expr"] for target in _targets(board) if "expr" in target]
    rules = [{"record": f"check:{n}", "expr": query} for n, query in enumerate(queries)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    _promtool(promtool, "check", "rules", str(file))


def test_every_metric_of_ours_in_alerts_and_dashboards_is_exported(mesh: Mesh) -> None:
    wanted = set(OURS.findall((MONITORING / "alerts.yml").read_text()))
    for board in BOARDS:
        wanted |= {name for target in _targets(board) for name in OURS.findall(target.get("expr", ""))}
    exported = {metric.name for metric in MeshMetrics(mesh.runtime).collect()}
    exported |= set(OURS.findall((ROOT / "infra" / "backup" / "backup").read_text()))
    assert wanted <= exported


def test_every_sql_of_a_dashboard_runs(mesh: Mesh) -> None:
    ran = 0
    with mesh.db() as db:
        for target in (target for board in BOARDS for target in _targets(board)):
            if "rawSql" in target:
                db.execute(text(target["rawSql"].replace(":", r"\:")))
                ran += 1
    assert ran == 3
