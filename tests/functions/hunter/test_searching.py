"""From a profile to judged leads: through the real protocols of search, sites, registry and model."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from somos.mesh import clock
from somos.mesh.loader import load
from somos.mesh.routes import Routes
from somos.mesh.runtime import Runtime, use
from somos.policy.tokens import TokenSigner
from somos.settings import Settings
from tests.functions.hunter.conftest import FIT, Hunt
from tests.harness.mesh import Mesh
from tests.harness.world import World


@pytest.fixture(scope="module", params=[False, True], ids=["once", "twice"])
def hunt(
    request: pytest.FixtureRequest, engine: Engine, settings: Settings, keys: tuple[str, str], world: World
) -> Iterator[Hunt]:
    """One search, run to its end once for all the tests that only look at it."""
    world.reset()
    with engine.connect() as connection:
        begun = connection.begin()
        runtime = Runtime(settings, engine=connection, routes=Routes.of(load().values()))
        mesh = Mesh(runtime, dict(load()), TokenSigner(keys[0]), bool(request.param))
        use(runtime)
        before = clock.use(lambda: mesh.time)
        made = Hunt(mesh, world)
        made.searched(made.icp())
        yield made
        clock.use(before)
        begun.rollback()


def test_a_search_finds_enriches_and_judges_and_its_task_ends_once(hunt: Hunt):
    assert hunt.slugs("qualified") == FIT
    session = hunt.get("/api/v1/search-sessions")["items"][0]
    task = hunt.get(f"/api/v1/agents/tasks/{session['task_id']}/result")
    assert task["state"] == "succeeded"
    assert session["state"] == "completed"
    assert task["result"]["qualified"] == session["qualified"] == len(FIT)
    assert session["found"] == session["settled"] == len(hunt.leads())
    assert session["settled"] == sum(session[name] for name in ("qualified", "rejected", "duplicates", "blocked"))
    assert session["credits"] == hunt.calls("serpapi")


def test_a_lead_says_where_every_value_is_from_and_why_it_is_worth_what_it_is(hunt: Hunt):
    lead = hunt.lead("horizonte")
    assert (lead["state"], lead["score"]) == ("qualified", 100)
    assert lead["phone"] == "+5511955550101"
    assert lead["contact_name"] == "Ana Beatriz Prado"
    winners = {source["field"]: source for source in lead["sources"] if source["wins"]}
    assert winners["phone"]["source"] == "site"
    assert winners["city"]["source"] == "maps"
    assert winners["legal_name"]["source"] == "registry"
    assert winners["email"]["url"].startswith("http://horizonte-exemplo.com.br")
    assert all(source["seen_at"] and source["method"] for source in lead["sources"])
    criteria = {criterion["id"]: criterion for criterion in lead["score_detail"]["criteria"]}
    assert sum(criterion["points"] for criterion in criteria.values()) == lead["score"]
    assert criteria["size"]["quote"] == "Somos mais de 64 profissionais de criação, mídia e produção."
    assert criteria["size"]["url"].endswith("/sobre")
    assert criteria["size"]["by"] == "model"
    assert lead["score_detail"]["model"]
    assert "Nota 100 de 100" in lead["reason"]
    assert lead["lgpd"]["legal_basis"].startswith("Legítimo interesse")
    assert lead["lgpd"]["retain_until"] == str(clock.today() + timedelta(days=180))


def test_a_company_that_is_not_active_is_worth_zero_and_says_why(hunt: Hunt):
    lead = hunt.lead("lumen")
    assert (lead["state"], lead["score"]) == ("rejected_campaign", 0)
    assert "baixada" in lead["reason"]


def test_a_site_that_leads_into_a_private_network_says_nothing_and_loses_no_lead(hunt: Hunt):
    lead = hunt.lead("trama")
    assert {source["source"] for source in lead["sources"]} == {"maps"}
    assert lead["state"] == "rejected_campaign"
    assert "Sem informação: porte" in lead["reason"]


def test_what_a_site_orders_the_model_to_do_changes_nothing(hunt: Hunt):
    lead = hunt.lead("viralata")
    assert any("ignore as instruções" in source["value"] for source in lead["sources"])
    assert lead["state"] == "rejected_campaign"
    assert "Tem 9 pessoas; o ICP pede 50 ou mais." in lead["reason"]


def test_a_company_seen_in_two_sources_is_one_lead_with_both_histories(hunt: Hunt):
    lead = hunt.lead("farol")
    assert {"web", "maps", "site", "registry"} == {source["source"] for source in lead["sources"]}
    origins = hunt.mesh.one("select count(*) from hunter.lead_origins where lead_id = :id", id=lead["id"])
    assert origins >= 2


def test_every_lead_has_keys_of_its_own(hunt: Hunt):
    for name in ("cnpj", "domain", "phone", "email"):
        values = [lead[name] for lead in hunt.leads() if lead[name] and lead["state"] != "duplicate"]
        assert len(values) == len(set(values)), name


def test_no_personal_data_reaches_the_audit_trail(hunt: Hunt):
    trail = hunt.mesh.one("select string_agg(changes::text, ' ') from mesh.audit where table_name like 'hunter.%'")
    assert "5511955550101" not in trail
    assert "Ana Beatriz" not in trail
    assert "contato@horizonte" not in trail
