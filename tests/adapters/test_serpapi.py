"""Searching: which of SerpApi's answers mean what, paging, and what a result becomes."""

from collections.abc import Callable

import pytest

from somos.adapters.http import ResilientClient
from somos.adapters.serpapi.search import SerpApi, city_and_uf
from somos.ports.errors import NotConfigured, OutsideError, QuotaExhausted, Refused, Throttled, Transient
from somos.ports.search import Search
from somos.wiring import Wiring
from tests.adapters.provider import Provider, Reply
from tests.harness.corpus import Case, cases

Make = Callable[..., ResilientClient]


@pytest.fixture
def serpapi(client: Make) -> SerpApi:
    return SerpApi(client(), "k")


def success(**blocks: object) -> Reply:
    return Reply(200, {"search_metadata": {"status": "Success"}, **blocks})


@pytest.mark.parametrize(
    ("reply", "kind", "code", "tries"),
    [
        (Reply(400, {"error": "Missing query `q` parameter."}), Refused, "http-400", 1),
        (Reply(401, {"error": "Invalid API key."}), NotConfigured, "key-refused", 1),
        (Reply(403, {"error": "Account suspended."}), NotConfigured, "key-refused", 1),
        (Reply(410, {"error": "expired"}), Refused, "gone", 1),
        (Reply(429, {"error": "Your account has run out of searches."}), QuotaExhausted, "no-credits", 1),
        (
            Reply(429, {"error": "Your searches for the month are exhausted. You can upgrade plans."}),
            QuotaExhausted, "no-credits", 1,
        ),
        (
            Reply(429, {"error": "Your account has exceeded its hourly throughput limit. Upgrade your plan."}),
            Throttled, "hourly-limit", 1,
        ),
        (Reply(429, "slow down", {"Retry-After": "3"}), Throttled, "hourly-limit", 3),
        (Reply(500, {"error": "We were unable to process your search."}), Transient, "provider-failed", 3),
        (Reply(200, "<html>"), Transient, "malformed", 3),
        (Reply(200, []), Transient, "search-failed", 3),
        (Reply(200, {"search_metadata": {"status": "Error"}, "error": "failed"}), Transient, "search-failed", 3),
        (Reply(200, {"search_metadata": {"status": "Processing"}}), Transient, "search-failed", 3),
        (Reply(200, {"error": "something odd"}), Transient, "search-failed", 3),
    ],
)  # fmt: skip
def test_what_an_answer_means(
    serpapi: SerpApi, provider: Provider, reply: Reply, kind: type, code: str, tries: int
) -> None:
    provider.will(reply)
    with pytest.raises(OutsideError) as raised:
        serpapi.web("agências")
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert len(provider.asked) == tries


def test_success_with_an_error_text_is_an_empty_page(serpapi: SerpApi, provider: Provider) -> None:
    provider.will(success(error="Google hasn't returned any results for this query."))
    page = serpapi.web("agências")
    assert page.results == ()
    assert page.next_page is None
    assert page.credits == 1


def test_a_web_search_asks_in_brazil_and_pages_by_ten(serpapi: SerpApi, provider: Provider) -> None:
    provider.will(
        success(
            organic_results=[
                {"position": 1, "title": "Horizonte", "link": "https://www.horizonte.com.br/", "snippet": "Agência"},
                {"position": 2, "title": "sem link"},
                "not a result",
                {"position": 3, "link": "javascript:alert(1)", "title": "x"},
            ],
            serpapi_pagination={"next": "https://serpapi.com/search.json?start=20"},
        )
    )
    page = serpapi.web("agências", page=2, location="Sao Paulo, State of Sao Paulo, Brazil")
    asked = provider.asked[0].query
    assert asked["start"] == "10"
    assert asked["location"].startswith("Sao Paulo")
    assert (asked["engine"], asked["gl"], asked["hl"]) == ("google", "br", "pt-br")
    (found,) = page.results
    assert (found.title, found.external_id, found.position) == ("Horizonte", "horizonte.com.br", 11)
    assert page.next_page == 3


def test_a_place_tells_where_it_is(serpapi: SerpApi, provider: Provider) -> None:
    place = {
        "title": "Agência Horizonte", "place_id": "ChIJ1", "address": "R. Harmonia, 10 - Vila Madalena, São Paulo - SP",
        "phone": "(11) 5555-0101", "website": "http://horizonte.com.br", "type": "Agência",
        "gps_coordinates": {"latitude": -23.5, "longitude": -46.6},
    }  # fmt: skip
    provider.will(success(local_results=[place]))
    page = serpapi.maps("agências em São Paulo")
    (found,) = page.results
    assert (found.city, found.uf, found.external_id, found.source) == ("São Paulo", "SP", "ChIJ1", "maps")
    assert page.near == "@-23.5,-46.6,14z"
    assert "ll" not in provider.asked[0].query


def test_one_exact_place_comes_alone(serpapi: SerpApi, provider: Provider) -> None:
    provider.will(success(place_results={"title": "Horizonte", "place_id": "ChIJ1"}))
    assert [found.title for found in serpapi.maps("Horizonte").results] == ["Horizonte"]


def test_paging_a_map_continues_near_the_same_place(serpapi: SerpApi, provider: Provider) -> None:
    provider.will(success(local_results=[{"title": "A", "place_id": "1"}]))
    page = serpapi.maps("agências", page=2, near="@-8.05,-34.9,14z")
    assert provider.asked[0].query["ll"] == "@-8.05,-34.9,14z"
    assert provider.asked[0].query["start"] == "20"
    assert (page.results[0].position, page.credits) == (21, 1)


def test_a_page_without_its_place_looks_the_place_up_first(serpapi: SerpApi, provider: Provider) -> None:
    onward = {"next": "https://serpapi.com/search.json?engine=google_maps&ll=%40-8.05%2C-34.9%2C14z&start=20"}
    provider.will(success(local_results=[{"title": "A", "place_id": "1"}], serpapi_pagination=onward))
    page = serpapi.maps("agências", page=2)
    assert provider.asked[1].query["ll"] == "@-8.05,-34.9,14z"
    assert page.credits == 2


def test_nothing_is_asked_beyond_what_a_map_shows(serpapi: SerpApi, provider: Provider) -> None:
    assert serpapi.maps("agências", page=7).credits == 0
    assert provider.asked == []


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("Av. Paulista, 1000 - Bela Vista, São Paulo - SP, 01310-100, Brasil", ("São Paulo", "SP")),
        ("R. XV de Novembro, 5 - Centro, São José dos Campos - SP", ("São José dos Campos", "SP")),
        ("Mogi das Cruzes - SP", ("Mogi das Cruzes", "SP")),
        ("Rua A, 1 - Centro, Recife/PE", ("Recife", "PE")),
        ("Quadra 5 - Brasília, DF, 70000-000", ("Brasília", "DF")),
        ("1600 Amphitheatre Parkway, Mountain View, CA", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_city_and_state_of_an_address(address: str | None, place: tuple[str | None, str | None]) -> None:
    assert city_and_uf(address) == place


def test_in_the_sandbox_every_page_is_new_until_the_last(wiring: Wiring) -> None:
    search = wiring.port(Search)
    ids: list[str] = []
    page, number = None, 1
    while page is None or page.next_page:
        page = search.web("agências de publicidade em São Paulo", number)
        ids += [found.external_id for found in page.results]
        number += 1
    assert number > 2
    assert len(ids) == len(set(ids))
    places = search.maps("agências de publicidade em São Paulo")
    assert {found.city for found in places.results} == {"São Paulo"}


# `right`: the titles that a search of the web and of the map finds in this body.
@pytest.mark.parametrize("case", cases("serpapi"))
def test_what_serpapi_really_answers_is_read_at_once(serpapi: SerpApi, provider: Provider, case: Case) -> None:
    for operation, titles in case.right.items():
        provider.will(Reply(200, case.input))
        found = getattr(serpapi, operation)("agências").results
        assert [one.title for one in found] == titles
    assert len(provider.asked) == len(case.right)
