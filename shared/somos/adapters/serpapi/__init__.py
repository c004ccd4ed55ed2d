"""Google and Google Maps through SerpApi."""

from typing import TYPE_CHECKING

from somos.adapters.provider import Adapter, Provider, address, secret

if TYPE_CHECKING:
    from somos.adapters.outside import Outside
    from somos.ports.search import Search

URL = address("SERPAPI_URL", sandbox="/serpapi")
KEY = secret("SERPAPI_KEY")


def _search(outside: "Outside") -> "Search":
    from somos.adapters.serpapi.search import SerpApi

    return SerpApi(outside.client(URL), outside.value(KEY))


PROVIDER = Provider("serpapi", {"somos.ports.search.Search": Adapter(_search, (URL, KEY))})
