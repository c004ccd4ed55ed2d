"""Which unit hosts what: the grain, who stays alone, and what a merge lets a unit see."""

from dataclasses import replace
from pathlib import Path

import pytest

from somos.cli.needs import needs_of
from somos.mesh.addresses import Addresses
from somos.mesh.declare import Function
from somos.mesh.derive import Needs, derive, known_events
from somos.mesh.derive.placement import EDITIONS, Placement, PlacementError, Target, of_grain
from somos.mesh.derive.units import Unit, homes, units, warnings
from somos.mesh.loader import load
from somos.policy.matrix import MODULES
from somos.settings import ROOT, Settings

PLACEMENT = Placement.load()
COMPACT = PLACEMENT.targets["compact"]


@pytest.fixture(scope="module")
def functions() -> list[Function]:
    return [f for f in load().values() if Path(f.file).is_relative_to(ROOT / "functions")]


def placed(functions: list[Function], target: Target) -> dict[str, Unit]:
    return {unit.name: unit for unit in units(functions, target, PLACEMENT, needs_of)}


def of_toys(images: dict[str, str], target: Target) -> dict[str, Unit]:
    """Units of functions that only have a name and an image."""
    made = [Function(name, name.split("-")[0], f"functions/{name}.py", "Toy.") for name in images]
    return {u.name: u for u in units(made, target, PLACEMENT, lambda one: Needs(images[one.name]))}  # type: ignore[arg-type]


@pytest.fixture
def toys() -> dict[str, str]:
    return {"crm-deals": "core", "crm-tags": "core", "hunter-leads": "core", "hunter-on-found": "ai"}


@pytest.mark.parametrize("grain", ["function", "module", "all"])
def test_every_function_lives_in_exactly_one_unit(functions: list[Function], grain: str) -> None:
    found = placed(functions, of_grain(grain))  # type: ignore[arg-type]
    hosted = [function.name for unit in found.values() for function in unit.functions]
    assert sorted(hosted) == sorted(function.name for function in functions)


def test_the_grain_decides_who_shares(functions: list[Function]) -> None:
    assert len(placed(functions, of_grain("function"))) == len(functions)
    by_module = placed(functions, of_grain("module"))
    assert {"crm", "sdr", "sdr-ai"} <= by_module.keys()
    assert by_module["sdr"].image == "core"
    assert by_module["sdr-ai"].image == "ai"
    everything = placed(functions, of_grain("all"))["somos"]
    assert everything.image == "ai"
    assert everything.environment == {}


def test_a_module_that_lives_whole_is_named_once_and_a_split_one_by_its_functions(functions: list[Function]) -> None:
    found = placed(functions, of_grain("module"))
    assert found["crm"].environment == {"SOMOS_FUNCTIONS": "crm"}
    split = found["hunter"].environment["SOMOS_FUNCTIONS"].split(",")
    assert "hunter-leads" in split
    assert "hunter-on-lead-enriched" not in split
    for unit in found.values():
        assert load(*unit.hosts).keys() == {function.name for function in unit.functions}


def test_who_stays_alone_is_in_no_group(functions: list[Function]) -> None:
    found = placed(functions, COMPACT)
    assert [f.name for f in found["sdr-on-message-claimed"].functions] == ["sdr-on-message-claimed"]
    assert "sdr-on-message-claimed" not in {f.name for f in found["outreach"].functions}


def test_a_unit_needs_what_its_functions_need_and_takes_as_long_as_the_slowest(functions: list[Function]) -> None:
    apart, found = placed(functions, of_grain("function")), placed(functions, COMPACT)
    for unit in found.values():
        alone = [apart[function.name] for function in unit.functions]
        assert set(unit.secrets) == {secret for one in alone for secret in one.secrets}
        assert set(unit.settings) == {setting for one in alone for setting in one.settings}
        assert unit.patience == max(one.patience for one in alone)
        assert unit.memory_mib >= max(one.memory_mib for one in alone if one.image == unit.image)


def test_only_who_signs_people_in_holds_the_signing_key(functions: list[Function]) -> None:
    holders = {name for name, unit in placed(functions, of_grain("function")).items()
               if "jwt-private-key" in unit.secrets}  # fmt: skip
    assert holders == {"auth-login", "auth-password", "auth-refresh"}
    assert [n for n, u in placed(functions, COMPACT).items() if "jwt-private-key" in u.secrets] == ["auth"]


def test_who_reads_the_web_holds_no_key_that_sends(functions: list[Function]) -> None:
    for unit in placed(functions, COMPACT).values():
        if "SITES_PROXY" in unit.settings:
            assert not {"evolution-api-key", "resend-api-key"} & set(unit.secrets)


def test_who_hashes_people_holds_the_key_of_the_hashes(functions: list[Function]) -> None:
    # Reached through another module's queries, which no declaration says.
    apart = placed(functions, of_grain("function"))
    for name in ("hunter-leads", "hunter-on-lead-found", "sdr-suppressions", "sdr-unsubscribe"):
        assert "suppression-key" in apart[name].secrets
    assert "suppression-key" not in apart["crm-tags"].secrets


def test_the_compact_placement_fits_the_cap_also_with_every_module_to_come() -> None:
    grouped = {module for modules in COMPACT.groups.values() for module in modules}
    assert {*MODULES[:15], "auth", "mesh"} <= grouped <= set(MODULES)  # the seed's fifteen come first
    to_come = {f"{module}-x": "core" for module in (*MODULES, "novelty")}  # who has no group takes one unit more
    to_come |= {f"{module}-y": "ai" for module in grouped - {"auth", "mesh"}}
    assert len(of_toys(to_come, COMPACT)) + len(COMPACT.alone) <= EDITIONS["CE"]


def test_a_module_without_a_group_shares_the_rest() -> None:
    assert of_toys({"novelty-things": "core"}, COMPACT).keys() == {"rest"}


def test_passing_a_limit_is_said_with_the_edition_that_would_take_it(toys: dict[str, str]) -> None:
    target = Target(platform="openfaas", file="stack.yml", grain="function", limit=3)
    [said] = warnings("pequeno", target, list(of_toys(toys, target).values()))
    assert "4 unidades" in said
    assert "CE (15)" in said
    assert warnings("folgado", target.model_copy(update={"limit": None}), list(of_toys(toys, target).values())) == []


def test_a_name_that_no_function_has_is_said(toys: dict[str, str]) -> None:
    target = Target(platform="openfaas", file="x", grain="module", alone=("crm-dealz",))
    [said] = warnings("x", target, list(of_toys(toys, target).values()))
    assert "crm-dealz" in said


def test_the_shipped_placement_passes_no_limit_and_names_nobody_unknown(functions: list[Function]) -> None:
    for name, target in PLACEMENT.targets.items():
        assert warnings(name, target, list(placed(functions, target).values())) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[targets.function]\ngrain = 'functions'", "targets.function.grain"),
        ("[targets.function]\nlimite = 3", "limite"),
        ("[image.core]", "image"),
        (
            "[targets.x]\nplatform='openfaas'\nfile='x'\ngrain='module'\ngroups={a=['crm'],b=['crm']}",
            "mais de um grupo",
        ),
        ("isto não é toml", "placement.toml"),
    ],
)
def test_a_typo_in_the_file_is_refused_by_name(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "placement.toml"
    file.write_text(line)
    with pytest.raises(PlacementError, match=said):
        Placement.load(file)


def test_a_merge_that_widens_secrets_shows_in_the_table(functions: list[Function]) -> None:
    def table(target: Target) -> list[str]:
        placement = PLACEMENT.model_copy(update={"targets": {"compact": target}})
        return derive(functions, known_events(), needs_of, placement).files["infra/placement.md"].splitlines()

    def cell(lines: list[str], unit: str) -> str:
        return next(line for line in lines if line.startswith(f"| `{unit}` |")).split("|")[-2]

    merged = COMPACT.model_copy(update={"groups": {**COMPACT.groups, "research": ("hunter", "intel", "sdr"),
                                                   "outreach": ()}})  # fmt: skip
    assert "resend-api-key" not in cell(table(COMPACT), "research")
    assert "resend-api-key" in cell(table(merged), "research")


def test_a_worker_finds_each_function_in_its_unit(functions: list[Function]) -> None:
    told = Settings(gateway_url="http://gateway:8080/")
    assert Addresses(told).of("crm-tags") == "http://gateway:8080/function/crm-tags"
    compact = Addresses(replace(told, placement="compact"))
    assert compact.of("crm-tags") == "http://gateway:8080/function/sales"
    assert compact.of("sdr-on-message-claimed") == "http://gateway:8080/function/sdr-on-message-claimed"
    knative = Addresses(replace(told, placement="knative", function_url="http://{unit}.somos.svc.cluster.local"))
    assert knative.of("crm-tags") == "http://crm-tags.somos.svc.cluster.local"
    with pytest.raises(LookupError, match="outro"):
        Addresses(replace(told, placement="outro"))


def test_more_functions_take_more_memory_and_threads_but_not_without_end(toys: dict[str, str]) -> None:
    one = of_toys({"crm-a": "core"}, of_grain("module"))["crm"]
    many = of_toys({f"crm-f{n}": "core" for n in range(40)}, of_grain("module"))["crm"]
    assert one.memory_mib < many.memory_mib < 40 * one.memory_mib
    assert one.threads < many.threads <= 16
    assert homes([many])["crm-f3"] == "crm"
