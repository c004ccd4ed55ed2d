"""What a unit loads before its first request: of heavy packages nothing, whatever the function may call later."""

import json
import os
import subprocess
import sys

import pytest

from somos.mesh.loader import load
from somos.settings import ROOT

# What signs, sends, asks a model, reads a page. Of a module that has no line here, its longest file is measured.
HEAVIEST = {
    "auth": "auth-login",
    "crm": "crm-deals",
    "hunter": "hunter-on-lead-enriched",
    "sdr": "sdr-on-message-claimed",
}
# Seconds and tens of MiB each; whoever needs one loads it on first use.
TOO_HEAVY = {
    "alembic", "boto3", "botocore", "celery", "crewai", "flask", "functions_framework", "granian", "gunicorn",
    "holidays", "jinja2", "langchain", "langchain_core", "langchain_openai", "numpy", "openai", "phonenumbers",
    "prometheus_client", "qdrant_client", "rapidfuzz", "requests", "rich", "rq", "selectolax", "tenacity", "tiktoken",
    "urllib3", "validate_docbr", "websockets", "yaml",
}  # fmt: skip
# What is for a laptop, a deployment or the outside, and not for answering.
NOT_OURS = ("somos.adapters", "somos.cli", "somos.local", "somos.mesh.derive", "somos.migrations", "gateway", "infra")
LOADED = """
import json, sys
import somos.mesh.serve
from somos.mesh.unit import application
application()
print(json.dumps(sorted(sys.modules)))
"""
# A table whose parent stands in a file that this process never loads, in the order in which SQLAlchemy writes rows.
LONELY = """
from uuid import UUID
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column
from sqlalchemy.schema import sort_tables
from somos.mesh.tables import Table

class Child(Table):
    __tablename__ = "children"
    __table_args__ = {"schema": "toys"}
    parent_id: Mapped[UUID] = mapped_column(ForeignKey("toys.parents.id"))

configure_mappers()
print([table.fullname for table in sort_tables([Child.__table__])])
"""


def loaded(function: str) -> set[str]:
    """Every module of a fresh process that is ready to answer for this function."""
    return set(json.loads(printed(LOADED, SOMOS_FUNCTION=function)))


def printed(code: str, **more: str) -> str:
    """What a fresh interpreter says."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}", **more}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def measured() -> dict[str, str]:
    """Of each module the function with the most behind it."""
    longest = {}
    for file in sorted(ROOT.glob("functions/*/*.py"), key=lambda file: file.stat().st_size):
        if file.name != "__init__.py":
            longest[file.parent.name] = f"{file.parent.name}-{file.stem}".replace("_", "-")
    return longest | HEAVIEST


def test_every_module_is_measured_by_a_function_of_its_own() -> None:
    assert {module: load()[name].module for module, name in measured().items()} == {
        one.module: one.module for one in load().values()
    }


@pytest.mark.parametrize("function", measured().values())
def test_a_unit_starts_without_what_only_its_calls_need(function: str) -> None:
    found = loaded(function)
    assert {name.partition(".")[0] for name in found} & TOO_HEAVY == set()
    assert {name for name in found if name.startswith(NOT_OURS)} == set()
    hosted = {name for name in found if name.count(".") == 2 and name.startswith("functions.")}
    assert hosted == {"functions." + function.replace("-", ".", 1).replace("-", "_")}


@pytest.mark.parametrize("function", ["auth-login", "crm-deals"])
def test_a_core_unit_starts_without_docstrings_as_its_environment_says(function: str) -> None:
    assert json.loads(printed(LOADED, SOMOS_FUNCTION=function, PYTHONOPTIMIZE="2"))


def test_a_table_is_written_without_the_tables_that_its_foreign_keys_name() -> None:
    assert printed(LONELY) == "['toys.children']\n"
