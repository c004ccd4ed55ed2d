"""Google and Google Maps through SerpApi."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from somos.adapters.http import Answer, ResilientClient, by_status
from somos.ports.errors import NotConfigured, OutsideError, QuotaExhausted, Refused, Throttled
from somos.ports.search import Search, SearchPage, SearchResult

WEB_STEP, MAPS_STEP = 10, 20
LAST_MAPS_START = 100  # Google shows no more than about a hundred places
HOURLY = re.compile(r"hour|throughput|per second|concurren", re.I)
CREDITS = re.compile(r"run out|exhausted|credit|searches left|plan", re.I)
# How SerpApi says that nothing was found, with or without its metadata.
NOTHING_FOUND = re.compile(r"(?:hasn.?t|has not|didn.?t|did not) return(?:ed)? any results|\bno results\b", re.I)
HOUR_PAUSE_S = 600.0
CREDITS_PAUSE_S = 24 * 3600.0
UF = "AC|AL|AP|AM|BA|CE|DF|ES|GO|MA|MT|MS|MG|PA|PB|PR|PE|PI|RJ|RN|RS|RO|RR|SC|SP|SE|TO"
# "Av. Paulista, 1000 - Bela Vista, São Paulo - SP, 01310-100"
CITY_UF = re.compile(rf"(?:^|[,\-–])\s*([^,\-–\d][^,\-–]*?)\s*[-–/,]\s*({UF})(?=\s*(?:,|$|\d{{5}}))")


class SerpApi(Search):
    def __init__(self, client: ResilientClient, key: str) -> None:
        self._client, self._key = client, key

    def web(self, query: str, page: int = 1, location: str | None = None) -> SearchPage:
        start = (page - 1) * WEB_STEP
        params = {"engine": "google", "q": query, "google_domain": "google.com.br", "start": str(start)}
        if location:
            params["location"] = location
        answer = self._search("web", params)
        results = [
            SearchResult(
                title=_text(item.get("title")) or link,
                url=link,
                snippet=_text(item.get("snippet")),
                source="web",
                external_id=_page_id(link),
                position=start + number,
            )
            for number, item in _items(answer.get("organic_results"))
            if (link := _link(item.get("link")))
        ]
        more = bool(results) and _next(answer) is not None
        return SearchPage(results=tuple(results), next_page=page + 1 if more else None)

    def maps(self, query: str, page: int = 1, near: str | None = None) -> SearchPage:
        start, credits = (page - 1) * MAPS_STEP, 1
        if start > LAST_MAPS_START:
            return SearchPage(credits=0)
        if start and near is None:
            # Paging needs the place the first page was about. Asked again within the hour it is free.
            near, credits = self.maps(query).near, 2
            if near is None:
                return SearchPage()
        params = {"engine": "google_maps", "type": "search", "q": query}
        if start:
            params["start"] = str(start)
        if near:
            params["ll"] = near
        answer = self._search("maps", params)
        # One exact match comes alone, under another name.
        items = _items(answer.get("local_results")) or _items(answer.get("place_results"))
        results = tuple(place for number, item in items if (place := _place(item, start + number)))
        onward = _next(answer) is not None and start + MAPS_STEP <= LAST_MAPS_START
        return SearchPage(
            results=results,
            next_page=page + 1 if results and onward else None,
            credits=credits,
            near=near or _place_of(answer),
        )

    def _search(self, operation: str, params: Mapping[str, str]) -> dict[str, Any]:
        everywhere = {"gl": "br", "hl": "pt-br", "output": "json", "api_key": self._key}
        return self._client.call(
            operation, "read", "GET", "/search.json", params={**params, **everywhere}, judge=_judge
        ).object


def _judge(answer: Answer) -> OutsideError | None:
    status, message = answer.status, str(answer.object.get("error") or "")
    if status == 429:
        if CREDITS.search(message) and not HOURLY.search(message):
            return QuotaExhausted(
                "Os créditos de busca acabaram.", code="no-credits", status=429, retry_after=CREDITS_PAUSE_S
            )
        pause = answer.retry_after or (HOUR_PAUSE_S if HOURLY.search(message) else 60.0)
        return Throttled("Limite de buscas por hora.", code="hourly-limit", retry_after=pause, status=429)
    if status in (401, 403):
        return NotConfigured("A conta de busca recusou a chave.", code="key-refused", status=status)
    if status in (404, 410):
        return Refused("A busca não existe mais.", code="gone", status=status)
    if error := by_status(answer):
        return error
    state = _mapping(answer.object.get("search_metadata")).get("status")
    if NOTHING_FOUND.search(message) and state not in ("Processing", "Queued"):
        return None
    # "Success" with an error text says that nothing was found, too.
    if not answer.object or state not in (None, "Success", "Cached") or (message and state is None):
        return answer.uncertain("A busca não terminou.", code="search-failed")
    return None


def _place(item: Mapping[str, Any], position: int) -> SearchResult | None:
    id = _text(item.get("place_id")) or _text(item.get("data_id")) or _text(item.get("data_cid"))
    title = _text(item.get("title"))
    if not id or not title:
        return None
    address = _text(item.get("address"))
    city, uf = city_and_uf(address)
    return SearchResult(
        title=title,
        url=_link(item.get("website")),
        snippet=_text(item.get("type")) or _text(item.get("description")),
        phone=_text(item.get("phone")),
        address=address,
        city=city,
        uf=uf,
        source="maps",
        external_id=id,
        position=position,
    )


def city_and_uf(address: str | None) -> tuple[str | None, str | None]:
    """The city and state in a Brazilian address as Google writes it."""
    matches = list(CITY_UF.finditer(address or ""))
    return (matches[-1][1].strip(), matches[-1][2]) if matches else (None, None)


def _place_of(answer: Mapping[str, Any]) -> str | None:
    """The `ll` that paging needs: from the link to the next page, else from the first place."""
    ll = parse_qs(urlsplit(_next(answer) or "").query).get("ll")
    if ll:
        return ll[0]
    for _, item in _items(answer.get("local_results")):
        gps = _mapping(item.get("gps_coordinates"))
        if gps.get("latitude") is not None and gps.get("longitude") is not None:
            return f"@{gps['latitude']},{gps['longitude']},14z"
    return None


def _next(answer: Mapping[str, Any]) -> str | None:
    return _text(_mapping(answer.get("serpapi_pagination")).get("next"))


def _items(block: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """The results of a block that may be missing, numbered from 1: a list, one alone, or an object that holds them."""
    if isinstance(block, Mapping):
        listed = next((block[name] for name in ("places", "results") if isinstance(block.get(name), list)), None)
        block = listed if listed is not None else [block] if "title" in block else list(block.values())
    items = [item for item in block if isinstance(item, Mapping)] if isinstance(block, list) else []
    return list(enumerate(items, start=1))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _link(value: Any) -> str | None:
    link = _text(value)
    return link if link and urlsplit(link).scheme in ("http", "https") else None


def _page_id(link: str) -> str:
    """One page has one id, however it was linked."""
    parts = urlsplit(link)
    host = (parts.hostname or "").removeprefix("www.")
    return urlunsplit(("", host, parts.path.rstrip("/"), parts.query, "")).removeprefix("//")
