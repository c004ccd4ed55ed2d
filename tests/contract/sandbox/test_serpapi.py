"""SerpApi's protocol: shapes, paging, keys, credits."""

import requests

from infra.sandbox.serve import Sandbox

from .conftest import KEYS, Call, World

QUESTION = "agência de publicidade São Paulo"


def test_a_web_search_has_serpapis_shape(search: Call) -> None:
    body = search(engine="google", q=QUESTION, gl="br", hl="pt-br").json()
    assert body["search_metadata"]["status"] == "Success"
    assert body["search_parameters"]["q"] == QUESTION
    assert "api_key" not in body["search_parameters"]
    first = body["organic_results"][0]
    assert {"position", "title", "link", "displayed_link", "snippet", "source"} <= first.keys()
    assert first["position"] == 1
    assert isinstance(body["local_results"]["places"], list)


def test_web_results_page_by_ten_with_start(search: Call) -> None:
    first = search(engine="google", q=QUESTION).json()
    assert len(first["organic_results"]) == 10
    assert "start=10" in first["serpapi_pagination"]["next"]
    second = search(engine="google", q=QUESTION, start=10).json()
    assert second["organic_results"][0]["position"] == 11
    links = {r["link"] for r in first["organic_results"]}
    assert not links & {r["link"] for r in second["organic_results"]}


def test_a_maps_search_has_an_array_of_places(search: Call) -> None:
    body = search(engine="google_maps", q=QUESTION, type="search").json()
    place = body["local_results"][0]
    wanted = {"position", "title", "place_id", "data_id", "gps_coordinates", "address", "phone", "website", "types"}
    assert wanted <= place.keys()
    assert place["phone"] == "(11) 5555-0101"


def test_maps_wants_coordinates_when_paging(search: Call) -> None:
    assert search(engine="google_maps", q=QUESTION, start=20).status_code == 400
    assert search(engine="google_maps", q=QUESTION, start=20, ll="@-23.5,-46.6,14z").status_code == 200


def test_an_empty_result_is_a_success_with_an_error_text(search: Call) -> None:
    answer = search(engine="google", q="zzz qqq")
    assert answer.status_code == 200
    assert answer.json()["search_metadata"]["status"] == "Success"
    assert "hasn't returned any results" in answer.json()["error"]
    assert "organic_results" not in answer.json()


def test_a_wrong_key_and_bad_parameters_are_refused(search: Call) -> None:
    assert search(key="wrong", engine="google", q="x").status_code == 401
    assert search(engine="bing", q="x").status_code == 400
    assert search(engine="google").json() == {"error": "Missing query `q` parameter."}


def test_the_same_search_within_the_hour_costs_nothing(sandbox: Sandbox, search: Call) -> None:
    def left() -> int:
        account = requests.get(f"{sandbox.url}/serpapi/account.json", params={"api_key": KEYS.serpapi_key})
        return int(account.json()["plan_searches_left"])

    before = left()
    search(engine="google", q=QUESTION)
    search(engine="google", q=QUESTION)
    assert left() == before - 1
    search(engine="google", q=QUESTION, no_cache="true")
    assert left() == before - 2


def test_without_credits_the_answer_is_a_permanent_429(world: World, search: Call) -> None:
    world.post("settings", searches_left=0)
    answer = search(engine="google", q=QUESTION)
    assert answer.status_code == 429
    assert "run out of searches" in answer.json()["error"]


def test_an_hourly_limit_reads_differently_from_missing_credits(world: World, search: Call) -> None:
    world.post("faults", provider="serpapi", kind="status", status=429)
    answer = search(engine="google", q=QUESTION)
    assert answer.status_code == 429
    assert "hourly" in answer.json()["error"]
    assert search(engine="google", q=QUESTION).status_code == 200
