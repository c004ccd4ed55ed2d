"""What does not answer is asked again; only the last attempt goes without, and the lead says so."""

from typing import Any

import pytest

from tests.functions.hunter.conftest import Hunt

SITE = "Empresa;Site\nHorizonte;horizonte-exemplo.com.br\n"


def fault(hunt: Hunt, provider: str, **more: Any) -> None:
    hunt.world.post("faults", provider=provider, **{"kind": "status", "status": 503, "times": 1000, **more})


def outlast(hunt: Hunt) -> None:
    """Until the last attempt. Breakers tell time by themselves: they are closed again before each."""
    for _ in range(9):
        hunt.mesh.runtime.redis.flushdb()
        hunt.mesh.drain(tolerate=True)
        hunt.mesh.advance(minutes=5)


def attempts(hunt: Hunt, function: str) -> int:
    return int(hunt.mesh.one("select max(attempts) from mesh.deliveries where function = :f", f=function))


@pytest.mark.parametrize("provider", ["sites", "cnpj"])
def test_a_source_that_is_away_for_a_while_is_asked_again_and_nothing_is_missing(hunt: Hunt, provider: str):
    fault(hunt, provider, times=4)
    hunt.imported(hunt.icp(), SITE).ok()
    hunt.outlast()
    lead = hunt.lead("horizonte")
    assert (lead["state"], lead["unreached"]) == ("qualified", [])
    assert {"site", "registry"} <= {source["source"] for source in lead["sources"]}


@pytest.mark.parametrize(("provider", "name"), [("sites", "site"), ("cnpj", "registry")])
def test_a_source_that_never_answers_is_gone_without_at_the_last_attempt_and_the_lead_says_so(
    hunt: Hunt, provider: str, name: str
):
    fault(hunt, provider)
    report = hunt.imported(
        hunt.icp(), SITE.replace("Site\n", "Site;CNPJ\n").replace("br\n", "br;98000101000167\n")
    ).ok()
    outlast(hunt)
    (lead,) = hunt.leads(f"unreached={name}")
    assert lead["unreached"] == [name]
    assert "Não responderam: o " in lead["reason"]
    assert attempts(hunt, "hunter-on-lead-found") == 7
    assert hunt.get(f"/api/v1/search-sessions/{report['session_id']}")["state"] == "completed"
    assert hunt.leads("unreached=model") == []


def test_a_page_of_a_search_that_never_answers_ends_the_search_and_is_read_by_the_next_one(hunt: Hunt):
    icp = hunt.icp("Metalúrgicas", segments=["indústria metalúrgica"], cnaes=["25"])
    fault(hunt, "serpapi")
    session = hunt.search(icp)
    for _ in range(4):  # a few pages at once
        outlast(hunt)
    assert (hunt.session(session)["state"], hunt.session(session)["found"]) == ("completed", 0)
    hunt.world.reset()
    hunt.mesh.runtime.redis.flushdb()
    again = hunt.search(icp)
    hunt.mesh.drain()
    assert hunt.session(again)["found"] == 1


# --- the model -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"], indirect=True)
@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "answer", "body": {"criteria": "nenhum"}},
        {"kind": "answer", "body": "Claro! Aqui está a avaliação: ..."},
        {"kind": "malformed"},
        {"kind": "status", "status": 400},
        {"kind": "status", "status": 503},
    ],
    ids=["outside_schema", "prose", "malformed", "refused", "away"],
)
def test_a_model_that_gives_no_usable_answer_leaves_the_lead_to_a_person_and_the_search_ends(
    hunt: Hunt, answer: dict[str, Any]
):
    fault(hunt, "openai", **answer)
    report = hunt.imported(hunt.icp(), SITE).ok()
    outlast(hunt)
    lead = hunt.lead("horizonte")
    assert (lead["state"], lead["unreached"]) == ("scored", ["model"])
    assert lead["reason"].endswith("Não responderam: o modelo de linguagem.")
    session = hunt.get(f"/api/v1/search-sessions/{report['session_id']}")
    assert (session["state"], session["settled"], session["undecided"], session["rejected"]) == ("completed", 1, 1, 0)
    assert hunt.post(f"/api/v1/leads/{lead['id']}/accept")["state"] == "qualified"


def test_a_lead_that_the_profile_excludes_is_refused_without_a_model(hunt: Hunt):
    fault(hunt, "openai")
    hunt.imported(hunt.icp(exclude_terms=["Horizonte"]), SITE).ok()
    hunt.outlast()
    assert hunt.lead("horizonte")["state"] == "rejected_campaign"


def test_a_score_names_the_prompt_that_it_was_made_with(hunt: Hunt):
    hunt.imported(hunt.icp(), SITE).ok()
    hunt.mesh.drain()
    detail = hunt.lead("horizonte")["score_detail"]
    assert detail["model"]
    assert len(detail["prompt_version"]) == 12
