"""The fetcher reaches the public internet and nothing else, by whatever name."""

import socket
from collections.abc import Callable

import pytest
import requests

from somos.adapters.sites.public_web import Blocked, check_url, is_public, public_session
from tests.adapters.provider import Provider, Reply


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
        "http://0/", "http://10.0.0.5/painel", "http://172.16.0.1/", "http://192.168.1.1/", "http://100.64.0.1/",
        "http://169.254.169.254/latest/meta-data/", "http://224.0.0.1/", "http://255.255.255.255/",
        "http://192.0.2.1/", "http://198.18.0.1/", "http://240.0.0.1/",
        "http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://[ff02::1]/",
        "http://[::ffff:127.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/", "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
        "http://[fec0::1]/", "http://[feff::1]/", "http://[64:ff9b:1::a00:1]/", "http://[::10.0.0.1]/",
        "http://[::ffff:0:10.0.0.1]/", "http://[100::1]/", "http://[5f00::1]/", "http://[3fff::1]/", "http://[4000::1]/",
        "http://[2001:db8::1]/", "http://[2001:2::1]/", "http://[2001:20::1]/", "http://[2002:a00:1::]/",
        "http://[64:ff9b::a9fe:a9fe]/", "http://[::ffff:100.64.0.1]/", "http://100.127.255.254/", "http://192.88.99.1/",
        "http://192.0.0.8/", "http://0.1.2.3/", "http://169.254.1.1/",
        "http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://postgres/", "http://db.internal/",
        "http://metadata.google.internal/", "http://printer.local/", "http://nas.lan/", "http://x.home.arpa/",
        "ftp://agencia.com.br/", "file:///etc/passwd", "gopher://agencia.com.br/", "javascript:alert(1)", "//x.com.br",
        "http://agencia.com.br:22/", "http://agencia.com.br:6379/", "http://agencia.com.br:0/", "http://a.com:99999/",
        "http://user:pass@agencia.com.br/", "http://@agencia.com.br/", "http://agencia.com.br\\@127.0.0.1/",
        "http:///", "http://%31%32%37.0.0.1/", "http://[::1", "", "http://a b.com/",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused_before_any_look_up(url: str) -> None:
    with pytest.raises(Blocked):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://agencia.com.br",
        "https://www.agencia.com.br:443/contato?x=1",
        "http://8.8.8.8/",
        "HTTP://AGENCIA.ART.BR/",
    ],
)
def test_what_is_public_may_pass(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "100.128.0.1",
        "2606:4700::1111",
        "2804:14d::1",
        "64:ff9b::808:808",
        "::ffff:8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_public_addresses_are_public_also_when_wrapped(address: str) -> None:
    assert is_public(address)


def names(**known: list[str]) -> Callable[[str, int], list[str]]:
    def resolve(host: str, port: int) -> list[str]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return known[host]

    return resolve


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["8.8.8.8", "127.0.0.1"], ["fe80::1%eth0"], []],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_public_name_for_a_private_address_is_not_connected_to(
    provider: Provider, addresses: list[str], scheme: str
) -> None:
    with (
        public_session("", names(**{"agencia.com.br": addresses})) as session,
        pytest.raises(Blocked),
    ):
        session.get(f"{scheme}://agencia.com.br:{provider.server_port}/", timeout=2)
    assert provider.asked == []


def test_a_name_that_turns_private_on_the_second_look_is_not_connected_to(provider: Provider) -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    looked_up = []

    def rebinding(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return next(answers)

    with public_session("", rebinding) as session:
        assert all(is_public(address) for address in rebinding("agencia.com.br", 80))
        with pytest.raises(Blocked):
            session.get(f"http://agencia.com.br:{provider.server_port}/", timeout=2)
    assert provider.asked == []
    assert len(looked_up) == 2


def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    connected: list[tuple[str, int]] = []
    real = socket.create_connection

    def to_the_provider(address: tuple[str, int], *rest: object, **more: object) -> socket.socket:
        connected.append(address)
        return real(("127.0.0.1", provider.server_port), 2)

    monkeypatch.setattr(socket, "create_connection", to_the_provider)
    provider.will(Reply(200, "<p>Oi</p>", {"Content-Type": "text/html"}))
    with public_session("", names(**{"agencia.com.br": ["93.184.216.34", "8.8.8.8"]})) as session:
        answer = session.get("http://agencia.com.br/", timeout=2)
    assert answer.text == "<p>Oi</p>"
    assert connected == [("93.184.216.34", 80)]
    assert provider.asked[0].headers["host"] == "agencia.com.br"


def test_an_environment_proxy_is_not_a_way_around(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    monkeypatch.setenv("HTTP_PROXY", provider.url)
    monkeypatch.setenv("http_proxy", provider.url)
    with public_session("", names()) as session, pytest.raises(requests.ConnectionError):
        session.get("http://agencia.com.br/", timeout=2)
    assert provider.asked == []
