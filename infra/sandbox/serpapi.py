"""SerpApi's protocol: Google and Google Maps results about the invented companies."""

import hashlib
import hmac
import json
import re
import unicodedata
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, jsonify, request

from infra.sandbox.clock import iso, now
from infra.sandbox.people import Company, companies, display_phone
from infra.sandbox.sites import DIRECTORY_HOST
from infra.sandbox.state import Row
from infra.sandbox.world import World

WEB_PAGE, MAPS_PAGE = 10, 20
CACHE_LIFE_S = 3600
NOTHING = "Google hasn't returned any results for this query."
# Different words for one thing, so that a sentence finds what it means.
SAME = {
    "propaganda": "publicidade",
    "publicitaria": "publicidade",
    "publicitario": "publicidade",
    "sp": "paulo",
}
ENOUGH = 0.7


def words(text: str) -> list[str]:
    """Plain lower-case words without accents and plural endings."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    normalised = []
    for word in re.findall(r"[a-z]+", plain):
        single = word.removesuffix("s") if len(word) > 3 else word
        normalised.append(SAME.get(single, single))
    return normalised


# Words of a question that say nothing about which company is meant.
NOISE = frozenset(
    words(
        "a o e de da do das dos em no na nos nas com para por um uma que mais ou até entre site contato e-mail "
        "telefone whatsapp empresa melhores maiores lista grande médio porte funcionários colaboradores "
        "profissionais pessoas ficam mínimo equipe endereço cnpj br brasil"
    )
)


def fit(query: str, company: Company) -> float:
    """How much of the question the company answers, 0 to 1."""
    terms = [w for w in dict.fromkeys(words(query)) if w not in NOISE]
    if not terms:
        return 0.0
    own = set(words(" ".join((company.name, company.maps_title, company.segment, company.city, company.uf,
                              company.about, company.district, company.slug))))  # fmt: skip
    return sum(w in own for w in terms) / len(terms)


def matching(query: str, engine: str, location: str) -> list[Company]:
    """Companies in the order a person sees them: best fit first, then the world's own order."""
    domain = re.search(r"site:(\S+)", query)
    plain = re.sub(r"\S+:\S+|-\w+|[\"']", " ", query)
    city = location.split(",")[0].strip()
    ranked = []
    for company in companies():
        if engine not in company.listed_in:
            continue
        if domain and company.domain not in domain.group(1):
            continue
        if city and city.lower() != "brazil" and words(city) != words(company.city):
            continue
        score = fit(plain, company) if plain.strip() or not domain else 1.0
        if score >= ENOUGH:
            ranked.append((-round(score, 3), company.number, company))
    return [company for *_, company in sorted(ranked, key=lambda entry: entry[:2])]


def web_results(query: str, location: str) -> list[Row]:
    """Organic results: home pages, some of them twice by a sub-page, and one directory among them."""
    results: list[Row] = []
    companies = matching(query, "google", location)
    for place, company in enumerate(companies):
        results.append(
            {
                "title": company.google_title or f"{company.name} | {company.segment.capitalize()} em {company.city}",
                "link": company.url,
                "displayed_link": f"http://www.{company.domain}",
                "snippet": f"{company.about} {company.size} {company.district}, {company.city} - {company.uf}.",
                "source": company.name,
            }
        )
        if place == 1 and len(companies) >= 8:
            results.append(
                {
                    "title": f"As {len(companies)} agências mais lembradas de {company.city}",
                    "link": f"http://{DIRECTORY_HOST}/agencias",
                    "displayed_link": f"http://{DIRECTORY_HOST} › agencias",
                    "snippet": "Lista com nomes, bairros e sites das agências da cidade.",
                    "source": "Guia das Agências",
                }
            )
        if company.number % 5 == 2 and company.site == "normal":
            results.append(
                {
                    "title": f"Contato - {company.name}",
                    "link": f"http://{company.domain}/contato?utm_source=google",
                    "displayed_link": f"http://{company.domain} › contato",
                    "snippet": f"Fale com a {company.name}: {display_phone(company.fixed)}. {company.address}.",
                    "source": company.name,
                }
            )
    return results


def maps_results(query: str, location: str) -> list[Row]:
    results = []
    for company in matching(query, "maps", location):
        digest = hashlib.sha256(company.slug.encode()).hexdigest()
        results.append(
            {
                "title": company.maps_title,
                "place_id": f"ChIJ{digest[:23]}",
                "data_id": f"0x{digest[:16]}:0x{digest[16:32]}",
                "data_cid": str(int(digest[:15], 16)),
                "gps_coordinates": {
                    "latitude": -23.5 - company.number / 100,
                    "longitude": -46.6 - company.number / 100,
                },
                "rating": round(3.9 + company.number % 10 / 10, 1),
                "reviews": 11 * company.number,
                "type": company.segment.capitalize(),
                "types": [company.segment.capitalize()],
                "address": company.address,
                "phone": display_phone(company.fixed if company.number % 2 else company.mobile or company.fixed),
                **({"website": f"http://{company.domain}/?utm_source=maps"} if company.site != "none" else {}),
                "operating_hours": {"segunda-feira": "09:00–18:00"},
                "thumbnail": f"http://www.{company.domain}/fachada.jpg",
            }
        )
    return results


def blueprint(world: World) -> Blueprint:
    bp = Blueprint("serpapi", __name__, url_prefix="/serpapi")

    def refused() -> Any:
        if not hmac.compare_digest(request.args.get("api_key", "").encode(), world.config.serpapi_key.encode()):
            return jsonify(
                error="Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"
            ), 401
        return None

    def searches_left() -> int:
        return int(world.state.setting("searches_left", world.config.serpapi_searches))

    @bp.get("/account.json")
    def account() -> Any:
        return refused() or jsonify(
            account_id="sandbox", account_email="conta@somos-exemplo.com.br", plan_name="Sandbox",
            searches_per_month=world.config.serpapi_searches, plan_searches_left=searches_left(),
            total_searches_left=searches_left(), this_hour_searches=world.config.serpapi_searches - searches_left(),
            account_rate_limit_per_hour=1000,
        )  # fmt: skip

    @bp.get("/search.json")
    @bp.get("/search")
    def search() -> Any:
        if denied := refused():
            return denied
        arguments = {k: v for k, v in request.args.items() if k not in ("api_key", "output", "no_cache")}
        engine = arguments.setdefault("engine", "google")
        if engine not in ("google", "google_maps", "google_local"):
            return jsonify(error=f"Unsupported `{engine}` search engine."), 400
        if not arguments.get("q", "").strip():
            return jsonify(error="Missing query `q` parameter."), 400
        start = arguments.get("start", "0")
        if not start.isdigit():
            return jsonify(error="Unsupported value for parameter `start`."), 400
        if engine == "google_maps" and int(start) > 0 and "ll" not in arguments:
            return jsonify(error="Parameter `ll` is required when using pagination."), 400
        search_id = charge(arguments)
        if search_id is None:
            return jsonify(error="Your account has run out of searches."), 429
        return jsonify(answer(arguments, search_id, int(start)))

    def charge(arguments: dict[str, str]) -> str | None:
        """Use up one search, unless the same one was made within the hour; None when none are left."""
        parameters = json.dumps(arguments, sort_keys=True)
        store = world.state
        with store.write():
            cached = store.one("SELECT * FROM searches WHERE parameters=?", parameters)
            fresh = cached is not None and now() - cached["created_at"] < CACHE_LIFE_S
            if cached is not None and fresh and request.args.get("no_cache") != "true":
                return str(cached["id"])
            if searches_left() <= 0:
                return None
            store.set_setting("searches_left", searches_left() - 1)
            search_id = store.token("search", 24)
            store.run("INSERT OR REPLACE INTO searches VALUES (?, ?, ?)", parameters, search_id, now())
            return search_id

    def answer(arguments: dict[str, str], search_id: str, start: int) -> Row:
        engine, query = arguments["engine"], arguments["q"]
        on_maps = engine != "google"
        size = MAPS_PAGE if on_maps else WEB_PAGE
        everything = (maps_results if on_maps else web_results)(query, arguments.get("location", ""))
        page = [{"position": start + n, **r} for n, r in enumerate(everything[start : start + size], start=1)]
        body: Row = {
            "search_metadata": {
                "id": search_id,
                "status": "Success",
                "json_endpoint": f"{request.host_url}serpapi/searches/{search_id}.json",
                "created_at": iso(now())[:19].replace("T", " ") + " UTC",
                "processed_at": iso(now())[:19].replace("T", " ") + " UTC",
                "total_time_taken": 0.01,
            },
            "search_parameters": arguments,
            "search_information": {
                ("local_results_state" if on_maps else "organic_results_state"): "Results for exact spelling"
                if page
                else "Fully empty"
            },
        }
        if not page:
            body["error"] = NOTHING
            return body
        body["local_results" if on_maps else "organic_results"] = page
        if not on_maps and start == 0:
            places = [{**r, "position": n} for n, r in enumerate(maps_results(query, "")[:3], start=1)]
            if places:
                body["local_results"] = {"places": places}  # an object here, an array in google_maps
        if len(everything) > start + size:
            following = {**arguments, "start": str(start + size)}
            body["serpapi_pagination"] = {
                "current": start // size + 1,
                "next": f"{request.base_url}?{urlencode(following)}",
            }
        return body

    return bp
