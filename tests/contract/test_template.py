"""The template: what faas-cli expects of it, and what an image of ours must not lack."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from somos.mesh.derive.stack import COPIED, LANGUAGE
from somos.settings import ROOT

FOLDER = ROOT / "templates" / LANGUAGE
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
STACKS = ("stack.yml", "infra/openfaas/stack.compact.yml")


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "template.yml").read_text())


def environment() -> dict[str, str]:
    """What the Dockerfile's ENV lines say."""
    lines = DOCKERFILE.replace("\\\n", " ").splitlines()
    said = " ".join(line.removeprefix("ENV ") for line in lines if line.startswith("ENV "))
    return {name: value.strip('"') for name, value in re.findall(r'(\w+)=("[^"]*"|\S+)', said)}


def last_stage() -> str:
    return DOCKERFILE.rpartition("\nFROM ")[2]


@pytest.mark.parametrize("stack", STACKS)
def test_faas_cli_finds_the_template_of_every_language(stack: str) -> None:
    functions = yaml.safe_load((ROOT / stack).read_text())["functions"].values()
    for language in {function["lang"] for function in functions}:
        # faas-cli looks in template/, which is a link to templates/.
        assert (ROOT / "template" / language / "template.yml").is_file()
    assert (ROOT / "template").is_symlink()


@pytest.mark.parametrize("stack", STACKS)
def test_every_image_of_a_stack_is_built_once_from_a_lock_that_exists(stack: str) -> None:
    functions = yaml.safe_load((ROOT / stack).read_text())["functions"].values()
    built = [function["build_args"]["SOMOS_IMAGE"] for function in functions if "build_args" in function]
    assert sorted(built) == sorted({function["labels"]["somos.image"] for function in functions})
    for image in built:
        lock = (ROOT / "infra" / "requirements" / f"{image}.txt").read_text()
        pinned = re.findall(r"^\S+==\S+", lock, re.MULTILINE)
        assert len(re.findall(r"==[^\n]*\\\n +--hash=sha256:", lock)) == len(pinned) > 0


def test_the_template_has_the_shape_that_faas_cli_reads(template: dict[str, Any]) -> None:
    assert template.keys() <= {"language", "fprocess", "build_options", "welcome_message", "handler_folder"}
    assert template["language"] == LANGUAGE
    # faas-cli deploy sends the template's; whoever runs the image alone has the Dockerfile's.
    assert template["fprocess"] == environment()["fprocess"]
    port = template["fprocess"].rpartition("--port ")[2]
    assert environment()["upstream_url"] == f"http://127.0.0.1:{port}"
    assert f"COPY {template['handler_folder']}/ " in DOCKERFILE


def test_the_image_is_ready_only_when_the_unit_is_and_stops_when_asked() -> None:
    assert environment()["ready_path"] == "/_/ready"
    assert environment()["mode"] == "http"
    assert "STOPSIGNAL SIGTERM" in last_stage()
    assert "/_/ready" in last_stage().partition("HEALTHCHECK")[2]


def test_the_image_runs_as_nobody_in_particular_and_writes_only_to_tmp() -> None:
    assert re.findall(r"^USER (.*)$", last_stage(), re.MULTILINE) == ["10001:10001"]
    assert environment()["HOME"] == environment()["TMPDIR"] == "/tmp"
    assert environment()["PYTHONDONTWRITEBYTECODE"] == "1"
    assert "compileall" in DOCKERFILE
    for stack in STACKS:
        functions = yaml.safe_load((ROOT / stack).read_text())["functions"].values()
        assert all(function["readonly_root_filesystem"] for function in functions)


def test_what_comes_from_outside_is_pinned_and_can_be_replaced() -> None:
    outside = re.findall(r"^ARG \w+_IMAGE=(\S+[:/]\S+)$", DOCKERFILE, re.MULTILINE)
    assert len(outside) == 2
    assert not [image for image in outside if image.endswith(":latest") or ":" not in image]
    assert "--require-hashes" in DOCKERFILE
    assert "--no-index --find-links /wheels" in DOCKERFILE
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(stages) == {"${WATCHDOG_IMAGE}", "${BASE_IMAGE}"}


def test_faas_cli_new_finds_the_folder_that_it_copies() -> None:
    """It fails half-way without one; what lies there is overlaid by functions/ when an image is built."""
    copied = {
        path.name
        for path in (FOLDER / yaml.safe_load((FOLDER / "template.yml").read_text())["handler_folder"]).iterdir()
    }
    assert copied == {"README.md"}
    assert (ROOT / "functions" / "README.md").is_file()


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_says_which_units_build_its_images(stack: str) -> None:
    text = (ROOT / stack).read_text()
    for name, one in yaml.safe_load(text)["functions"].items():
        if "build_args" in one:
            assert name in text.partition("Só estas constroem:")[2].partition("\n")[0]


def test_no_secret_is_built_in() -> None:
    assert not re.search(r"(?i)password|token|api_key|_secret|private", DOCKERFILE)
    assert "**/.*" in (FOLDER / ".dockerignore").read_text().splitlines()  # .env, and whatever else hides


def test_the_build_script_carries_what_faas_cli_would_copy() -> None:
    script = (ROOT / "infra" / "images" / "build").read_text()
    assert f"for path in {' '.join(one.removeprefix('./') for one in COPIED)}; do" in script
    assert subprocess.run([ROOT / "infra" / "images" / "build", "--nothing"], capture_output=True).returncode == 2
