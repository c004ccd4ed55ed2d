"""What a unit loads before its first request: of heavy packages nothing, whatever the function may call later."""

import json
import os
import subprocess
import sys

import pytest

from somos.mesh.loader import load
from somos.settings import ROOT

# Of each module the function with the most behind it: what signs, sends, asks a model, reads a page.
HEAVIEST = {
    "agents": "agents-tasks",
    "auth": "auth-login",
    "crm": "crm-deals",
    "hunter": "hunter-on-lead-enriched",
    "mesh": "mesh-queues",
    "sdr": "sdr-on-message-claimed",
}
# Seconds and tens of MiB each; whoever needs one loads it on first use.
TOO_HEAVY = {
    "alembic", "boto3", "botocore", "celery", "crewai", "granian", "holidays", "langchain", "langchain_core",
    "langchain_openai", "numpy", "openai", "phonenumbers", "prometheus_client", "qdrant_client", "requests", "rich",
    "rq", "selectolax", "tenacity", "tiktoken", "urllib3", "websockets", "yaml",
}  # fmt: skip
# What is for a laptop, a deployment or the outside, and not for answering.
NOT_OURS = ("somos.adapters", "somos.cli", "somos.local", "somos.mesh.derive", "somos.migrations", "gateway", "infra")
LOADED = "import json, sys; from somos.mesh.host import app; app(); print(json.dumps(sorted(sys.modules)))"


def loaded(function: str) -> set[str]:
    """Every module of a fresh process that is ready to answer for this function."""
    environment = {**os.environ, "SOMOS_FUNCTION": function, "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"}
    told = subprocess.run(
        [sys.executable, "-c", LOADED], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(told.stdout))


def test_every_module_is_measured_by_a_function_of_its_own() -> None:
    assert {module: load()[name].module for module, name in HEAVIEST.items()} == {
        one.module: one.module for one in load().values()
    }


@pytest.mark.parametrize("function", HEAVIEST.values())
def test_a_unit_starts_without_what_only_its_calls_need(function: str) -> None:
    found = loaded(function)
    assert {name.partition(".")[0] for name in found} & TOO_HEAVY == set()
    assert {name for name in found if name.startswith(NOT_OURS)} == set()
    hosted = {name for name in found if name.count(".") == 2 and name.startswith("functions.")}
    assert hosted == {"functions." + function.replace("-", ".", 1).replace("-", "_")}
