"""Companies' own sites, read directly or through a proxy."""

from typing import TYPE_CHECKING

from somos.adapters.provider import Adapter, Provider, address

if TYPE_CHECKING:
    from somos.adapters.outside import Outside
    from somos.ports.sites import Sites

PROXY = address("SITES_PROXY", required=False)
TIMEOUT_S = 10.0  # a visitor would have left


def _sites(outside: "Outside") -> "Sites":
    from somos.adapters.resilience import Caller, Terms
    from somos.adapters.sites.company_site import CompanySite

    # No gate: every site is a server of its own, and five dead ones say nothing of the sixth.
    terms = Terms(timeout=TIMEOUT_S, tries=2, backoff_scale=outside.backoff_scale)
    return CompanySite(Caller(outside.provider.name, None, terms), outside.value(PROXY))


PROVIDER = Provider("sites", {"somos.ports.sites.Sites": Adapter(_sites, (PROXY,))})
