"""Reading a company's own site: what is found, and what is never followed."""

import socket
from collections.abc import Callable

import pytest
import requests

from infra.sandbox.people import companies
from somos.adapters.resilience import Caller, Terms
from somos.adapters.sites.company_site import CompanySite, _unreachable
from somos.adapters.sites.site_rules import SiteRules
from somos.ports.errors import OutsideError, Refused, Throttled, Transient
from somos.ports.sites import SitePage, Sites
from somos.wiring import Wiring
from tests.adapters.provider import Provider, Reply

HTML = {"Content-Type": "text/html; charset=utf-8"}
NO_ROBOTS = Reply(404, "", HTML)


@pytest.fixture
def site(provider: Provider) -> Callable[..., CompanySite]:
    """A reader whose way out is the provider, as a forward proxy."""

    def make(timeout: float = 5.0, **rules: object) -> CompanySite:
        caller = Caller("sites", None, Terms(timeout=timeout, tries=2), sleep=lambda _: None)
        return CompanySite(caller, provider.url, SiteRules(**rules))  # type: ignore[arg-type]

    return make


def page(body: str, **headers: str) -> Reply:
    return Reply(200, f"<html><body>{body}</body></html>", {**HTML, **headers})


def code_of(reader: CompanySite, url: str = "http://agencia.com.br/") -> tuple[type, str]:
    with pytest.raises(OutsideError) as raised:
        reader.fetch(url)
    return type(raised.value), raised.value.code


def targets(provider: Provider) -> list[str]:
    return [asked.target for asked in provider.asked]


def test_own_telling_pages_are_read_and_no_others(site: Callable[..., CompanySite], provider: Provider) -> None:
    start = page(
        '<a href="/blog/1">Blog</a> <a href="https://outra.com.br/contato">Contato deles</a>'
        '<a href="/sobre">Quem somos</a> <a href="http://loja.agencia.com.br/contato">Loja</a>'
        '<a href="http://127.0.0.1/contato">x</a> <a href="/contato#mapa">Fale</a> <a href="/contato">Fale</a>'
    )
    provider.will(NO_ROBOTS, start, page("1"), page("2"), page("3"))
    found = site().fetch("http://www.agencia.com.br/")
    assert targets(provider) == [
        "http://www.agencia.com.br/robots.txt",
        "http://www.agencia.com.br/",
        "http://loja.agencia.com.br/contato",
        "http://www.agencia.com.br/contato",
        "http://www.agencia.com.br/sobre",
    ]
    assert [read.url for read in found.pages] == targets(provider)[1:]


def test_reading_stops_at_the_cap(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(NO_ROBOTS, page("".join(f'<a href="/contato/{n}">c</a>' for n in range(50))))
    assert len(site(pages=3).fetch("http://agencia.com.br").pages) == 3
    assert len(provider.asked) == 4


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "private-address"),
        ("http://10.0.0.5/painel", "private-address"),
        ("http://localhost/", "local-name"),
        ("//127.0.0.1/", "private-address"),
        ("file:///etc/passwd", "scheme"),
        ("http://agencia.com.br:6379/", "port"),
        ("http://outra.com.br/", "leads-elsewhere"),
        ("http://agencia.com.br.invasor.com/", "leads-elsewhere"),
    ],
)
def test_a_redirect_is_checked_like_a_first_address(
    site: Callable[..., CompanySite], provider: Provider, location: str, code: str
) -> None:
    provider.will(NO_ROBOTS, Reply(302, "", {"Location": location}))
    assert code_of(site()) == (Refused, code)
    assert targets(provider) == ["http://agencia.com.br/robots.txt", "http://agencia.com.br/"]


def test_also_on_the_second_hop(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(
        NO_ROBOTS, Reply(301, "", {"Location": "http://www.agencia.com.br/"}),
        Reply(302, "", {"Location": "http://192.168.0.1/"}),
    )  # fmt: skip
    assert code_of(site()) == (Refused, "private-address")


def test_redirects_within_the_site_are_followed_and_end(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(NO_ROBOTS, Reply(301, "", {"Location": "http://www.agencia.com.br/inicio"}), page("Oi"))
    assert site().fetch("http://agencia.com.br").url == "http://www.agencia.com.br/inicio"
    provider.will(Reply(302, "", {"Location": "/de-novo"}))
    assert code_of(site()) == (Refused, "too-many-redirects")


@pytest.mark.parametrize(
    "url",
    ["https://www.instagram.com/agencia", "http://10.0.0.1/", "http://localhost:8080/", "http://wa.me/5511", "", "x"],
)
def test_what_is_no_company_s_site_is_not_asked(site: Callable[..., CompanySite], provider: Provider, url: str) -> None:
    assert code_of(site(), url) == (Refused, "not-a-company-site")
    assert provider.asked == []


def test_what_robots_may_not_read_is_not_read(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(Reply(200, "User-agent: *\nDisallow: /", {"Content-Type": "text/plain"}))
    assert code_of(site()) == (Refused, "robots")
    rules = Reply(200, "User-agent: *\nDisallow: /contato", {"Content-Type": "text/plain"})
    provider.will(rules, page('<a href="/contato">Contato</a>'))
    assert len(site().fetch("http://agencia.com.br").pages) == 1


@pytest.mark.parametrize("media", ["application/pdf", "image/png", "application/octet-stream", ""])
def test_what_is_no_page_is_not_read(site: Callable[..., CompanySite], provider: Provider, media: str) -> None:
    provider.will(NO_ROBOTS, Reply(200, "<p>x</p>", {"Content-Type": media}))
    assert code_of(site()) == (Refused, "not-a-page")


def test_of_a_page_without_end_only_the_beginning_is_read(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(NO_ROBOTS, page("<p>oi@agencia.com.br</p>" + "<p>mais</p>" * 500_000))
    found = site(page_bytes=100_000).fetch("http://agencia.com.br")
    assert found.emails == ("oi@agencia.com.br",)
    assert len(found.text) <= 20_000


def test_of_a_page_that_drips_what_came_in_time_is_read(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(NO_ROBOTS, Reply(200, "<p>Olá</p>" * 2000, HTML, manner="drip"))
    assert "Olá" in site(timeout=0.5).fetch("http://agencia.com.br").text


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (Reply(500, "x", HTML), Transient, "site-failed"),
        (Reply(429, "x", HTML), Throttled, "throttled"),
        (Reply(manner="lost"), Transient, "answer-lost"),
    ],
)
def test_a_site_in_trouble_may_be_read_later(
    site: Callable[..., CompanySite], provider: Provider, reply: Reply, kind: type, code: str
) -> None:
    provider.will(NO_ROBOTS, reply)
    assert code_of(site()) == (kind, code)


def test_a_page_that_is_not_there_is_an_answer(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(NO_ROBOTS, Reply(404, "<h1>404</h1>", HTML))
    assert site().fetch("http://agencia.com.br") == SitePage(url="http://agencia.com.br", status=404)


def test_an_address_without_a_scheme_is_tried_with_tls_first(
    site: Callable[..., CompanySite], provider: Provider
) -> None:
    provider.will(Reply(501, "no tunnels"), NO_ROBOTS, page("Oi"))
    assert site().fetch("agencia.com.br").text == "Oi"
    assert provider.asked[0].method == "CONNECT"


def test_every_finding_says_where_it_stands(site: Callable[..., CompanySite], provider: Provider) -> None:
    provider.will(
        NO_ROBOTS,
        page('<a href="/contato">Contato</a> <a href="https://www.instagram.com/agencia/?hl=pt">Insta</a>'),
        page("agencia@gmail.com, oi@agencia.com.br, (11) 99999-8888, CNPJ 11.222.333/0001-81"),
    )
    found = site().fetch("http://agencia.com.br/")
    assert found.emails == ("oi@agencia.com.br", "agencia@gmail.com")
    assert found.phones == ("+5511999998888",)
    assert found.cnpjs == ("11222333000181",)
    assert found.socials == {"instagram": "https://www.instagram.com/agencia"}
    assert found.found_on["oi@agencia.com.br"] == "http://agencia.com.br/contato"
    assert found.found_on["11222333000181"] == "http://agencia.com.br/contato"
    assert found.found_on["https://www.instagram.com/agencia"] == "http://agencia.com.br/"


def test_without_a_proxy_a_private_name_is_never_connected_to(provider: Provider) -> None:
    caller = Caller("sites", None, Terms(timeout=2, tries=1))
    reader = CompanySite(caller, resolve=lambda host, port: ["127.0.0.1"])
    assert code_of(reader) == (Refused, "private-address")
    assert provider.asked == []


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (socket.EAI_AGAIN, (Transient, "unreachable")),  # no resolver answered: the world is away, not the site
        (socket.EAI_NONAME, (Refused, "no-such-site")),
    ],
)
def test_a_resolver_that_does_not_answer_says_nothing_of_the_name(trouble: int, expected: tuple[type, str]) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(trouble, "simulado")

    caller = Caller("sites", None, Terms(timeout=2, tries=1))
    assert code_of(CompanySite(caller, resolve=resolve)) == expected


@pytest.mark.parametrize(("status", "kind"), [(403, Refused), (502, Transient), (503, Transient), (504, Transient)])
def test_a_proxy_that_cannot_get_out_is_no_refusal_of_the_site(status: int, kind: type) -> None:
    error = requests.exceptions.ProxyError(f"Tunnel connection failed: {status} simulado")
    assert type(_unreachable(error)) is kind


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ('saida; error=dns_error; rcode="NXDOMAIN"', (Refused, "no-such-site")),
        ('saida; error=dns_error; rcode="SERVFAIL"', (Transient, "site-failed")),
        ("saida; error=dns_timeout", (Transient, "site-failed")),
        ("saida; error=connection_refused", (Transient, "site-failed")),
    ],
)
def test_a_proxy_that_knows_the_name_does_not_exist_settles_it(
    site: Callable[..., CompanySite], provider: Provider, told: str, expected: tuple[type, str]
) -> None:
    provider.will(Reply(502, "", {**HTML, "Proxy-Status": told}))
    assert code_of(site()) == expected


def test_a_sandbox_site_tells_who_the_company_is(wiring: Wiring) -> None:
    found = wiring.port(Sites).fetch("http://www.horizonte-exemplo.com.br/")
    assert found.cnpjs == ("98000101000167",)
    assert "Ana Beatriz Prado" in found.text
    assert len(found.emails) == 2
    assert found.phones
    assert found.whatsapps
    assert set(found.socials) == {"instagram", "linkedin"}
    assert "Somos mais de 64 profissionais" in found.text


@pytest.mark.parametrize(
    ("kind", "refused"),
    [("redirect_private", "private-address"), ("closed", "robots"), ("error", "site-failed")],
)
def test_a_sandbox_site_that_must_not_or_cannot_be_read(wiring: Wiring, kind: str, refused: str) -> None:
    with pytest.raises(OutsideError) as raised:
        wiring.port(Sites).fetch(of_kind(kind))
    assert raised.value.code == refused


@pytest.mark.parametrize("kind", ["latin1", "large", "injection"])
def test_a_sandbox_site_that_is_odd_is_read_all_the_same(wiring: Wiring, kind: str) -> None:
    found = wiring.port(Sites).fetch(of_kind(kind))
    assert found.cnpjs
    assert "agência" in found.text.lower()


def of_kind(kind: str) -> str:
    return next(company.url for company in companies() if company.site == kind)
