"""A company's own site: its start page and the few pages that say who it is; never another domain."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import requests
from urllib3.exceptions import HTTPError

from somos.adapters.http import read_body, transport_error
from somos.adapters.resilience import Caller
from somos.adapters.sites.public_web import Blocked, Resolve, check_url, public_session, system_resolver
from somos.adapters.sites.site_rules import SiteRules
from somos.adapters.sites.site_text import Page, read_page
from somos.kernel.hosts import domain_of
from somos.ports.errors import OutsideError, Refused, Throttled, Transient
from somos.ports.sites import PageText, SitePage, Sites

USER_AGENT = "Mozilla/5.0 (compatible; SomosBot/0.1)"
ROBOT = "SomosBot"
PROXY_FAILED = re.compile(r"Tunnel connection failed: 50[234]")


@dataclass(frozen=True)
class Fetched:
    url: str
    status: int
    content_type: str
    body: bytes


class CompanySite(Sites):
    def __init__(
        self,
        caller: Caller,
        proxy: str = "",
        rules: SiteRules | None = None,
        resolve: Resolve = system_resolver,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._caller, self._proxy, self._resolve = caller, proxy, resolve
        self._rules, self._monotonic = rules or SiteRules(), monotonic

    def fetch(self, url: str) -> SitePage:
        domain = domain_of(url)
        if domain is None:
            raise Refused("Este endereço não é o site de uma empresa.", code="not-a-company-site").at(
                self._caller.provider, "fetch"
            )
        with public_session(self._proxy, self._resolve) as session:
            visit = _Visit(self._caller, session, domain, self._rules, self._monotonic)
            return visit.read(url)


class _Visit:
    """One reading of one site."""

    def __init__(
        self,
        caller: Caller,
        session: requests.Session,
        domain: str,
        rules: SiteRules,
        monotonic: Callable[[], float],
    ) -> None:
        self._caller, self._session, self._domain, self._rules = caller, session, domain, rules
        self._monotonic, self._until = monotonic, monotonic() + rules.seconds
        self._robots = RobotFileParser()

    def read(self, url: str) -> SitePage:
        start = self._start(url)
        if start.status >= 400:
            return SitePage(url=start.url, status=start.status)
        pages = [self._page(start)]
        for link in self._telling(pages[0]):
            if len(pages) >= self._rules.pages or self._monotonic() > self._until:
                break
            try:
                more = self._get("page", link)
                if more.status < 400 and more.url not in [page.url for page in pages]:
                    pages.append(self._page(more))
            except OutsideError:
                continue  # the start page is what matters; what else can be read is more
        return _joined(start, pages, self._domain)

    def _start(self, url: str) -> Fetched:
        """The start page; an address without a scheme is tried with TLS first."""
        if urlsplit(url).scheme in ("http", "https"):
            return self._allowed(url)
        host = url.strip().removeprefix("//")
        try:
            return self._allowed(f"https://{host}")
        except (Transient, Refused) as error:
            if error.code not in ("unreachable", "no-such-site", "bad-certificate", "proxy-refused"):
                raise
            return self._allowed(f"http://{host}")

    def _allowed(self, url: str) -> Fetched:
        try:
            response = self._get("robots", urljoin(url, "/robots.txt"), media_types=("text/plain",))
            lines = response.body.decode(errors="replace").splitlines() if response.status < 400 else []
        except (Refused, Transient) as error:
            if error.code == "unreachable" or isinstance(error, Throttled):
                raise
            lines = []  # a page or an error instead of rules is no rules
        self._robots.parse(lines)
        if not self._robots.can_fetch(ROBOT, url):
            raise Refused("O site pede que robôs não o leiam.", code="robots").at(self._caller.provider, "fetch")
        return self._get("fetch", url)

    def _telling(self, page: Page) -> list[str]:
        """Links to pages of this site that say who the company is, the most telling first."""
        ranked: dict[str, int] = {}
        for address, words in page.links:
            if not self._is_own(address) or address.rstrip("/") == page.url.rstrip("/"):
                continue
            path_and_words = f"{urlsplit(address).path} {words}".lower()
            rank = next((i for i, word in enumerate(self._rules.telling) if word in path_and_words), None)
            if rank is not None and self._robots.can_fetch(ROBOT, address):
                ranked.setdefault(address, rank)
        return sorted(ranked, key=lambda address: ranked[address])

    def _page(self, fetched: Fetched) -> Page:
        return read_page(fetched.url, fetched.body, fetched.content_type, self._rules)

    def _is_own(self, url: str) -> bool:
        domain = domain_of(url)
        return domain is not None and (domain == self._domain or domain.endswith(f".{self._domain}"))

    def _get(self, operation: str, url: str, media_types: tuple[str, ...] = ()) -> Fetched:
        def attempt() -> tuple[Fetched, int]:
            fetched = self._follow(url, media_types or self._rules.media_types)
            return fetched, fetched.status

        return self._caller.call(operation, "read", attempt)

    def _follow(self, url: str, media_types: tuple[str, ...]) -> Fetched:
        for _ in range(self._rules.redirects + 1):
            try:
                check_url(url)
            except Blocked as error:
                raise _blocked(error) from None
            if not self._is_own(url):
                raise Refused("O site leva a outro domínio.", code="leads-elsewhere")
            fetched, onward = self._one(url, media_types)
            if onward is None:
                return fetched
            url = urljoin(url, onward)
        raise Refused("O site redireciona sem fim.", code="too-many-redirects")

    def _one(self, url: str, media_types: tuple[str, ...]) -> tuple[Fetched, str | None]:
        try:
            connect, read = self._caller.terms.timeouts
            with self._session.get(
                url,
                headers={"User-Agent": USER_AGENT, "Accept": ", ".join(media_types), "Accept-Language": "pt-BR"},
                timeout=(connect, read),
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._read(url, response, media_types, self._monotonic() + connect + read)
        except Blocked as error:
            raise _blocked(error) from None
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _unreachable(error) from None

    def _read(
        self, url: str, response: requests.Response, media_types: tuple[str, ...], deadline: float
    ) -> tuple[Fetched, str | None]:
        status = response.status_code
        content_type = response.headers.get("content-type", "")
        if response.is_redirect:
            return Fetched(url, status, content_type, b""), response.headers["location"]
        if status == 429:
            raise Throttled("O site pediu uma pausa.", retry_after=60.0, status=status)
        if status >= 500 and _name_is_unknown(response.headers):
            raise Refused("Este domínio não existe.", code="no-such-site")
        if status >= 500:
            raise Transient("O site está fora do ar.", code="site-failed", status=status, outage=True)
        if status >= 400:
            return Fetched(url, status, content_type, b""), None
        if content_type.partition(";")[0].strip().lower() not in media_types:
            raise Refused("O endereço não é uma página.", code="not-a-page", status=status)
        body = read_body(response, self._rules.page_bytes, deadline, cut=True)
        return Fetched(url, status, content_type, body), None


def _name_is_unknown(headers: Mapping[str, str]) -> bool:
    """Whether the way out answers for a site that no such name exists (RFC 9209, 2.3.2)."""
    status = headers.get("proxy-status", "").lower()
    return "error=dns_error" in status and "nxdomain" in status


def _blocked(error: Blocked) -> OutsideError:
    return Refused("Endereço fora da internet pública.", code=error.reason)


def _unreachable(error: Exception) -> OutsideError:
    text = type(getattr(error.args[0] if error.args else None, "reason", error)).__name__
    if text == "NameResolutionError":
        return Refused("Este domínio não existe.", code="no-such-site")
    if isinstance(error, requests.exceptions.ProxyError) and "Tunnel connection failed" in str(error):
        if PROXY_FAILED.search(str(error)):
            return Transient("A saída para a internet não alcançou o site.", code="unreachable", outage=True)
        return Refused("A saída para a internet recusou o endereço.", code="proxy-refused")
    if isinstance(error, requests.exceptions.SSLError):
        return Refused("O certificado do site não é válido.", code="bad-certificate")
    return transport_error(error, "read")


def _joined(start: Fetched, pages: list[Page], domain: str) -> SitePage:
    """What all pages say together; each finding with the page it stands on."""
    found_on: dict[str, str] = {}
    socials: dict[str, str] = {}
    kinds: dict[str, list[str]] = {"emails": [], "phones": [], "whatsapps": [], "cnpjs": []}
    for page in pages:
        for kind, values in kinds.items():
            for value in getattr(page, kind):
                found_on.setdefault(value, page.url)
                if value not in values:
                    values.append(value)
        for network, link in page.socials.items():
            if socials.setdefault(network, link) == link:
                found_on.setdefault(link, page.url)
    kinds["emails"].sort(key=lambda email: not email.endswith(f"@{domain}"))  # own addresses first
    return SitePage(
        url=start.url,
        status=start.status,
        title=pages[0].title,
        description=pages[0].description,
        text="\n".join(page.text for page in pages),
        html_links=tuple(dict.fromkeys(link for page in pages for link, _ in page.links)),
        emails=tuple(kinds["emails"]),
        phones=tuple(kinds["phones"]),
        whatsapps=tuple(kinds["whatsapps"]),
        socials=socials,
        cnpjs=tuple(kinds["cnpjs"]),
        pages=tuple(PageText(url=page.url, title=page.title, text=page.text) for page in pages),
        found_on=found_on,
    )
