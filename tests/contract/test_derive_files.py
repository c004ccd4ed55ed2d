"""stack.yml, the permission table, the map and `somos where` say what the declarations say."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from somos.events.crm import DealOpened
from somos.mesh.declare import Function
from somos.mesh.derive import Needs, derive
from somos.mesh.derive.anchors import anchored
from somos.mesh.derive.placement import Placement
from somos.mesh.derive.stack import stack_functions
from somos.mesh.derive.units import units
from somos.mesh.derive.where import where
from somos.mesh.routes import Routes
from tests.contract.declared import declared, line_of

FILES = {
    "crm__deals": """
        @http.post("/api/v1/deals", allow="crm:write")
        def deals_create(ctx) -> None:
            '''Open a deal.'''
            ctx.emit(DealOpened(deal_id=UUID(int=0), owner_id=None))

        @http.get("/api/v1/deals/{id}", allow="crm:read")
        def deals_show(id: UUID, ctx) -> None: ...
    """,
    "sdr__on_deal_opened": """
        @topic(DealOpened, timeout=120, queue=AGENTS)
        def on_deal_opened(event: DealOpened, ctx) -> None: ...
    """,
    "sdr__every_night": """
        @cron("0 3 * * *")
        def every_night(ctx) -> None: ...
    """,
    "sdr__hook_whatsapp": """
        @webhook("/webhook/whatsapp", signed_by="evolution")
        def hook_whatsapp(event: Body, ctx) -> None: ...
    """,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("declared")


@pytest.fixture(scope="module")
def functions(folder: Path) -> Iterator[list[Function]]:
    with declared(folder, **FILES) as found:
        yield found


def needs(function: Function) -> Needs:
    return Needs("ai", ("openai-api-key",)) if function.name == "sdr-on-deal-opened" else Needs()


@pytest.fixture(scope="module")
def files(functions: list[Function]) -> dict[str, str]:
    derived = derive(functions, [DealOpened], needs)
    assert derived.faults == []
    return derived.files


def test_stack_yml_holds_one_function_per_file_with_its_own_timeouts_and_secrets(files: dict[str, str]) -> None:
    stack = yaml.safe_load(files["stack.yml"])
    assert stack["provider"]["name"] == "openfaas"
    assert sorted(stack["functions"]) == ["crm-deals", "sdr-every-night", "sdr-hook-whatsapp", "sdr-on-deal-opened"]
    step = stack["functions"]["sdr-on-deal-opened"]
    assert step["environment"]["SOMOS_FUNCTION"] == "sdr-on-deal-opened"
    assert {step["environment"][f"{what}_timeout"] for what in ("exec", "read", "write")} == {"125s"}
    assert step["secrets"] == ["openai-api-key"]
    assert step["image"] == "${REGISTRY:-ghcr.io/somos}/somos-ai:${TAG:-latest}"
    assert step["annotations"]["topic"] == "crm.deal_opened"
    assert "secrets" not in stack["functions"]["crm-deals"]
    assert stack["functions"]["crm-deals"]["annotations"]["routes"] == "POST /api/v1/deals, GET /api/v1/deals/{id}"
    night = stack["functions"]["sdr-every-night"]["annotations"]
    assert (night["topic"], night["schedule"]) == ("cron-function", "0 3 * * *")


def test_routes_json_is_what_gateway_and_relay_read(files: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "routes.json").write_text(files["gateway/routes.json"])
    routes = Routes.load(str(tmp_path / "routes.json"))
    assert [(e.method, e.path, e.function) for e in routes.edges] == [
        ("POST", "/api/v1/deals", "crm-deals"),
        ("GET", "/api/v1/deals/{id}", "crm-deals"),
        ("POST", "/webhook/whatsapp", "sdr-hook-whatsapp"),
    ]
    assert {s.type for s in routes.subscriptions} == {
        "crm.deal_opened", "inbox.sdr-hook-whatsapp", "timer.sdr-every-night",
    }  # fmt: skip
    assert routes.queues_by_type["crm.deal_opened"] == ("agents",)


def test_the_permission_table_shows_how_far_each_role_gets(files: dict[str, str]) -> None:
    rows = files["gateway/permissions.md"].splitlines()
    assert "| `GET /api/v1/deals/{id}` | `crm:read` | sim | sim | próprios | sim | - |" in rows
    assert "| `POST /api/v1/deals` | `crm:write` | sim | sim | próprios | - | - |" in rows


def test_the_map_knows_who_states_and_who_acts(files: dict[str, str]) -> None:
    drawn = json.loads(files["gateway/map.json"])
    by_name = {node["name"]: node for node in drawn["functions"]}
    assert by_name["crm-deals"]["emits"] == ["crm.deal_opened"]
    assert by_name["sdr-on-deal-opened"]["consumes"] == ["crm.deal_opened"]
    assert by_name["sdr-every-night"]["kind"] == "timer"
    assert drawn["events"][0]["file"] == "shared/somos/events/crm.py"
    assert "crm_deals --> crm_deal_opened{{crm.deal_opened}}" in files["gateway/map.md"]
    assert "crm_deal_opened{{crm.deal_opened}} --> sdr_on_deal_opened" in files["gateway/map.md"]


@pytest.mark.parametrize(
    ("asked", "key", "text"),
    [
        ("POST /api/v1/deals", "crm__deals", "@http.post"),
        ("GET /api/v1/deals/0192f0c4-7a3e-7d10-9b1a-3c5d7e9f0a1b?x=1", "crm__deals", "@http.get"),
        ("/webhook/whatsapp", "sdr__hook_whatsapp", "@webhook"),
        ("crm-deals", "crm__deals", '"""'),
        ("every_night", "sdr__every_night", "@cron"),
    ],
)
def test_where_finds_the_line(functions: list[Function], folder: Path, asked: str, key: str, text: str) -> None:
    assert line_of(folder, key, text) in [hit.place for hit in where(asked, functions, [DealOpened])]


@pytest.mark.parametrize("asked", ["crm.deal_opened", "DealOpened"])
def test_where_shows_an_event_with_who_states_it_and_who_acts_on_it(
    functions: list[Function], folder: Path, asked: str
) -> None:
    declared_at, stated_at, acted_at = where(asked, functions, [DealOpened])
    assert declared_at.place.startswith("shared/somos/events/crm.py:")
    assert stated_at.place == line_of(folder, "crm__deals", "@http.post")
    assert acted_at.place == line_of(folder, "sdr__on_deal_opened", "@topic")


def test_where_knows_nothing_of_what_does_not_exist(functions: list[Function]) -> None:
    assert where("GET /api/v1/nothing", functions, [DealOpened]) == []


def test_a_stack_with_anchors_says_of_each_function_what_it_says_whole(functions: list[Function]) -> None:
    whole = stack_functions(units(functions, Placement.load().targets["function"], Placement.load(), needs), "function")
    assert yaml.safe_load(anchored(whole))["functions"] == whole


@pytest.mark.parametrize("name", ["stack.yml", "infra/openfaas/stack.compact.yml"])
def test_every_yaml_of_go_reads_the_anchors_alike(files: dict[str, str], name: str) -> None:
    """One merge of one mapping, before the rest; and no mapping over another, which some would read into it."""
    merging = [node for node in _nodes(yaml.compose(files[name])) if _keys(node)[:1] == ["<<"]]
    assert merging
    for node in merging:
        merged, own = node.value[0][1], dict(zip(_keys(node)[1:], node.value[1:], strict=True))
        assert isinstance(merged, yaml.MappingNode)
        assert "<<" not in [*own, *_keys(merged)]
        replaced = [value for key, value in zip(_keys(merged), merged.value, strict=True) if key in own]
        assert not [value for _, value in replaced if isinstance(value, yaml.MappingNode)]
    assert not [node for node in _nodes(yaml.compose(files[name])) if "<<" in _keys(node)[1:]]


def _nodes(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _nodes(value)


def _keys(node: yaml.MappingNode) -> list[str]:
    return [key.value for key, _ in node.value]
