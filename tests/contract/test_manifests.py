"""What derive writes for OpenFaaS, Knative, Kubernetes and compose, against published schemas and our own."""

import json
import re
import warnings as python_warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from somos.cli.declarations import derived
from somos.mesh.derive.placement import Placement
from somos.settings import ROOT, Settings
from somos.wiring import every_setting

SCHEMA = json.loads((ROOT / "infra" / "openfaas" / "stack.schema.json").read_text())
STACKS = ("stack.yml", "infra/openfaas/stack.compact.yml")
KUBERNETES = kubernetes_validate.latest_version()
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    found = derived()
    assert found.faults == []
    return found.files


@pytest.fixture(scope="module")
def manifests(files: dict[str, str]) -> list[Manifest]:
    return [one for name, text in files.items() if name.startswith("infra/knative/")
            for one in yaml.safe_load_all(text)]  # fmt: skip


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def knative_model(manifest: Manifest) -> Any:
    """The published model of a Knative object."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # the generated models shadow a name of their base
        from cloudcoil.models.knative_eventing.eventing import v1 as eventing
        from cloudcoil.models.knative_eventing.sources import v1 as sources
        from cloudcoil.models.knative_serving.serving import v1 as serving
    models = {"serving.knative.dev/v1": serving, "sources.knative.dev/v1": sources, "eventing.knative.dev/v1": eventing}
    return getattr(models[manifest["apiVersion"]], manifest["kind"])


def refusals(manifest: Manifest) -> list[str]:
    """What a published schema says against it; unknown keys count."""
    try:
        if ".knative.dev" in manifest["apiVersion"]:
            read = knative_model(manifest).model_validate(manifest)
            return unread(manifest, read.model_dump(mode="json", by_alias=True, exclude_none=True))
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    except (ValueError, kubernetes_validate.ValidationError) as error:
        return [str(error)[:300]]
    return []


def unread(written: Any, read: Any, where: str = "") -> list[str]:
    """Keys that a model left aside: it knows no such key."""
    if isinstance(written, dict) and isinstance(read, dict):
        new = [f"{where}.{key}" for key in written if key not in read]
        return new + [
            line for key in written if key in read for line in unread(written[key], read[key], f"{where}.{key}")
        ]
    if isinstance(written, list) and isinstance(read, list):
        pairs = enumerate(zip(written, read, strict=True))
        return [line for n, (a, b) in pairs for line in unread(a, b, f"{where}[{n}]")]
    return []


def as_pod(service: Manifest) -> Manifest:
    """The part of a Knative Service that Kubernetes itself will read."""
    spec = {k: v for k, v in service["spec"]["template"]["spec"].items()
            if k not in ("containerConcurrency", "timeoutSeconds")}  # fmt: skip
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": service["metadata"]["name"]}, "spec": spec}


# -- OpenFaaS


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_holds_to_our_schema(files: dict[str, str], name: str) -> None:
    jsonschema.validate(yaml.safe_load(files[name]), SCHEMA)


@pytest.mark.parametrize(
    "typo",
    [
        {"limit": {"memory": "1Gi"}},
        {"secret": ["redis-url"]},
        {"limits": {"memori": "1Gi"}},
        {"limits": {"memory": "1GB"}},
        {"read_only_root_filesystem": True},
        {"environment": {"exec_timeout": "30"}},
        {"environment": {"exec_time_out": "30s"}},
        {"environment": {"SOMOS_FUNCION": "crm-tags"}},
        {"environment": {"max_inflight": 4}},
        {"image": "ghcr.io/somos/somos-core:${TAG}"},
        {"annotations": {"topic": ["a", "b"]}},
        {"readonly_root_filesystem": False},
    ],
    ids=str,
)
def test_a_typo_that_faas_cli_would_ignore_is_refused(files: dict[str, str], typo: Manifest) -> None:
    stack = yaml.safe_load(files["stack.yml"])
    stack["functions"]["crm-tags"] |= typo
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(stack, SCHEMA)


def test_each_image_is_built_once(files: dict[str, str]) -> None:
    for name in STACKS:
        functions = yaml.safe_load(files[name])["functions"].values()
        built = [one["image"] for one in functions if not one.get("skip_build")]
        assert sorted(built) == sorted({one["image"] for one in functions})


def test_the_compact_stack_fits_the_community_edition(files: dict[str, str]) -> None:
    assert len(yaml.safe_load(files["infra/openfaas/stack.compact.yml"])["functions"]) <= 15


@pytest.mark.parametrize("name", STACKS)
def test_the_watchdog_outlives_the_slowest_handler_and_threads_fit_what_it_lets_in(
    files: dict[str, str], name: str
) -> None:
    for function in yaml.safe_load(files[name])["functions"].values():
        told = function["environment"]
        assert int(told["exec_timeout"][:-1]) >= 35
        assert int(told["max_inflight"]) >= int(told["THREADS"]) >= int(told["POOL_SIZE"]) >= 1


# -- Knative and Kubernetes


def test_every_manifest_holds_to_its_published_schema(manifests: list[Manifest], files: dict[str, str]) -> None:
    ours = [one for one in manifests if one["kind"] != "Kustomization"]
    ours += list(yaml.safe_load_all(files["infra/services/kubernetes.yaml"]))
    assert len(ours) > 100
    assert {f"{one['kind']} {one['metadata']['name']}": said for one in ours if (said := refusals(one))} == {}


def test_what_kubernetes_reads_of_a_knative_service_holds_to_kubernetes_own_schema(manifests: list[Manifest]) -> None:
    for service in of_kind(manifests, "Service").values():
        kubernetes_validate.validate(as_pod(service), KUBERNETES, strict=True)


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("spec", "template", "spec"), "containerConcurency", 4),
        (("spec", "template", "spec"), "timeout", 4),
        (("spec", "template", "spec", "containers", 0), "readynessProbe", {}),
        (("spec", "template", "spec"), "containerConcurrency", "many"),
        (("spec",), "tempalte", {}),
    ],
)
def test_a_typo_in_a_knative_service_is_refused(
    manifests: list[Manifest], path: tuple[str | int, ...], key: str, value: Any
) -> None:
    service = json.loads(json.dumps(of_kind(manifests, "Service")["crm-tags"]))
    at = service
    for step in path:
        at = at[step]
    at[key] = value
    assert refusals(service)


def test_a_knative_service_scales_to_zero_within_bounds_and_is_reached_from_inside_only(
    manifests: list[Manifest],
) -> None:
    services = of_kind(manifests, "Service")
    warm = Placement.load().targets["knative"].warm
    for name, service in services.items():
        template = service["spec"]["template"]
        scaling = {k.split("/")[1]: v for k, v in template["metadata"]["annotations"].items()}
        assert scaling["class"] == "kpa.autoscaling.knative.dev"
        assert int(scaling["min-scale"]) == (1 if name in warm else 0)
        assert int(scaling["min-scale"]) < int(scaling["max-scale"])
        assert int(scaling["target"]) <= template["spec"]["containerConcurrency"]
        told = {one["name"]: one.get("value") for one in template["spec"]["containers"][0]["env"]}
        assert template["spec"]["containerConcurrency"] >= int(told["THREADS"]) >= int(told["POOL_SIZE"]) >= 1
        assert template["spec"]["timeoutSeconds"] <= 600
        assert template["spec"]["enableServiceLinks"] is False
        assert service["metadata"]["labels"]["networking.knative.dev/visibility"] == "cluster-local"


def test_every_container_is_read_only_unprivileged_and_limited(
    manifests: list[Manifest], files: dict[str, str]
) -> None:
    beside = [one for one in yaml.safe_load_all(files["infra/services/kubernetes.yaml"]) if one["kind"] == "Deployment"]
    pods = [one["spec"]["template"]["spec"] for one in [*of_kind(manifests, "Service").values(), *beside]]
    assert pods
    for pod in pods:
        [container] = pod["containers"]
        secured = container["securityContext"]
        assert secured["readOnlyRootFilesystem"]
        assert secured["runAsNonRoot"]
        assert secured["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["readinessProbe"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]} == {"tmp", "secrets"}


def test_openfaas_and_knative_hand_out_the_same_secrets(manifests: list[Manifest], files: dict[str, str]) -> None:
    stack = yaml.safe_load(files["stack.yml"])["functions"]
    for name, service in of_kind(manifests, "Service").items():
        [projected] = [v["projected"] for v in service["spec"]["template"]["spec"]["volumes"] if "projected" in v]
        assert [source["secret"]["name"] for source in projected["sources"]] == stack[name]["secrets"]


def test_timers_ring_by_the_relay_and_pingsources_wait_in_a_file_of_their_own(files: dict[str, str]) -> None:
    pings = list(yaml.safe_load_all(files["infra/knative/pingsources.yaml"]))
    ticks = json.loads(files["gateway/routes.json"])["ticks"]
    assert {(p["metadata"]["name"], p["spec"]["schedule"]) for p in pings} == {
        (tick["function"], tick["schedule"]) for tick in ticks
    }
    applied = yaml.safe_load(files["infra/knative/kustomization.yaml"])["resources"]
    assert not {"pingsources.yaml", "triggers.yaml"} & set(applied)


def test_a_trigger_brings_each_function_its_own_deliveries_only(
    manifests: list[Manifest], files: dict[str, str]
) -> None:
    triggers = of_kind(manifests, "Trigger")
    assert set(triggers) == {one["function"] for one in json.loads(files["gateway/routes.json"])["subscriptions"]}
    for name, trigger in triggers.items():
        assert trigger["spec"]["filter"]["attributes"] == {"function": name}
        assert trigger["spec"]["subscriber"]["ref"]["name"] == name


def test_kustomize_applies_every_file_that_is_on(files: dict[str, str]) -> None:
    applied = yaml.safe_load(files["infra/knative/kustomization.yaml"])["resources"]
    for one in applied:
        place = (ROOT / "infra" / "knative" / one).resolve()
        # kustomize refuses a file outside its folder, but takes in a folder that has a kustomization of its own.
        assert place.is_relative_to(ROOT / "infra" / "knative") or (place / "kustomization.yaml").is_file()
    beside = yaml.safe_load(files["infra/services/kustomization.yaml"])["resources"]
    assert {f"infra/services/{one}" for one in beside} == {"infra/services/kubernetes.yaml"} <= files.keys()
    written = {Path(name).name for name in files if name.startswith("infra/knative/")}
    assert written - set(applied) == {"pingsources.yaml", "triggers.yaml", "kustomization.yaml"}


def test_nothing_old_lies_among_the_derived_manifests(files: dict[str, str]) -> None:
    for folder in ("infra/knative", "infra/services", "gateway/nginx/units"):
        there = {str(path.relative_to(ROOT)) for path in (ROOT / folder).iterdir()}
        assert there <= files.keys()


# -- what runs beside the functions


def test_compose_and_kubernetes_run_the_same_services_with_the_same_secrets(files: dict[str, str]) -> None:
    composed = yaml.safe_load(files["infra/services/compose.yaml"])["services"]
    deployed = {one["metadata"]["name"]: one for one in yaml.safe_load_all(files["infra/services/kubernetes.yaml"])
                if one["kind"] == "Deployment"}  # fmt: skip
    assert composed.keys() == deployed.keys() == {"somos-worker", "somos-relay", "somos-realtime"}
    for name, service in composed.items():
        spec = deployed[name]["spec"]
        [container] = spec["template"]["spec"]["containers"]
        projected = spec["template"]["spec"]["volumes"][1]["projected"]["sources"]
        assert service["command"] == container["command"]
        assert [s["source"] for s in service["secrets"]] == [s["secret"]["name"] for s in projected]
        assert service["deploy"]["replicas"] == spec["replicas"]
        assert service["read_only"]


def test_no_service_beside_the_functions_is_published_by_compose(files: dict[str, str]) -> None:
    assert "ports:" not in files["infra/services/compose.yaml"]


def test_nginx_finds_each_unit(files: dict[str, str]) -> None:
    compact = files["gateway/nginx/units/compact.conf"]
    assert re.search(r"^    crm-tags sales;$", compact, re.MULTILINE)
    assert 'default "/function/$somos_unit";' in compact
    assert "default $somos_function;" in files["gateway/nginx/units/function.conf"]
    assert "svc.cluster.local" in files["gateway/nginx/units/knative.conf"]


def settings_told(files: dict[str, str]) -> Iterator[str]:
    for name in STACKS:
        for function in yaml.safe_load(files[name])["functions"].values():
            yield from (key for key in function["environment"] if key.isupper())
            yield from (secret.upper().replace("-", "_") for secret in function.get("secrets", []))


def test_everything_a_unit_is_told_is_something_it_reads(files: dict[str, str]) -> None:
    read = {*map(str.upper, Settings.names()), *every_setting(), "THREADS", "SOMOS_FUNCTION", "SOMOS_FUNCTIONS"}
    read |= {"PYTHONOPTIMIZE"}  # by the interpreter
    read |= {f"SOMOS_{name}" for name in list(read)}
    assert set(settings_told(files)) <= read
