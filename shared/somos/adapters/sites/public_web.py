"""Connections that reach the public internet and nothing else.

A company's site is an address somebody else chose. The address is checked where it is connected to, so a name
that resolves differently the second time gains nothing; every redirect hop connects anew and is checked anew.
"""

import ipaddress
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

Resolve = Callable[[str, int], list[str]]

NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that IANA gave out for the public internet. Site-local, local NAT64, IPv4 in its deprecated wrappings, segment
# routing and what nobody was given yet lie outside, whatever the ipaddress module of this Python knows of it.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Nobody's, though `is_global` does not say so in every Python: Teredo, benchmarks and identifiers that are no
# addresses; documentation; IETF protocols; the relays of 6to4, which wrap what they are sent.
NOT_ROUTED = tuple(
    ipaddress.ip_network(one) for one in ("2001::/23", "2001:db8::/32", "3fff::/20", "192.0.0.0/24", "192.88.99.0/24")
)
PORTS = frozenset({80, 443})
# Names that mean this machine or its network, whatever a resolver says.
LOCAL_NAMES = (".localhost", ".local", ".localdomain", ".internal", ".intranet", ".lan", ".home.arpa", ".onion")


class Blocked(Exception):
    """This address must not be reached. `reason` is for logs and never holds the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_url(url: str) -> None:
    """Raise Blocked for what needs no resolver to refuse: schemes, ports, credentials, literal addresses."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        raise Blocked("malformed") from None
    if parts.scheme not in ("http", "https"):
        raise Blocked("scheme")
    if parts.username is not None or parts.password is not None:
        raise Blocked("credentials")
    if port is not None and port not in PORTS:
        raise Blocked("port")
    if not host or any(character <= " " or character in "%\\" for character in host):
        raise Blocked("malformed")
    literal = _literal(host)
    if literal is not None:
        if not is_public(literal):
            raise Blocked("private-address")
    elif "." not in host or f".{host}".endswith(LOCAL_NAMES):
        raise Blocked("local-name")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also when it wraps another one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = ip.ipv4_mapped or ip.sixtofour
        if ip in NAT64:
            wrapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
        if ip not in GLOBAL_UNICAST:
            return False
    elif ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    return ip.is_global and not any(ip in network for network in NOT_ROUTED)


def _literal(host: str) -> str | None:
    """The IP address a host name is, also in the old forms: 127.1, 0x7f000001, 2130706433."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None


def system_resolver(host: str, port: int) -> list[str]:
    """Every address of a name."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in entries]


def public_session(proxy: str, resolve: Resolve = system_resolver) -> requests.Session:
    """A session for company sites. With an egress proxy the proxy resolves names and guards its network."""
    session = requests.Session()
    session.trust_env = False
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    else:
        guard = _PublicOnly(resolve)
        session.mount("http://", guard)
        session.mount("https://", guard)
    return session


class _PublicOnly(HTTPAdapter):
    """Opens connections through pools that check the address they connect to."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        resolve = self._resolve

        class Http(_Checked, HTTPConnection):
            resolver = staticmethod(resolve)

        class Https(_Checked, HTTPSConnection):
            resolver = staticmethod(resolve)

        class HttpPool(HTTPConnectionPool):
            ConnectionCls = Http

        class HttpsPool(HTTPSConnectionPool):
            ConnectionCls = Https

        self.poolmanager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}


class _Checked:
    """Resolves once, checks every address, and connects to what it checked."""

    resolver: Resolve

    def _new_conn(self) -> socket.socket:
        connection: Any = self
        try:
            addresses = self.resolver(connection.host, connection.port)
        except socket.gaierror as error:
            if error.errno == socket.EAI_AGAIN:  # nobody could be asked: it says nothing of the name
                raise NewConnectionError(connection, "no resolver answered") from None
            raise NameResolutionError(connection.host, connection, error) from None
        # One private address among public ones is an attack or a mistake; either way, not ours to reach.
        if not addresses or not all(is_public(address) for address in addresses):
            raise Blocked("private-address")
        try:
            return socket.create_connection((addresses[0], connection.port), connection.timeout)
        except TimeoutError:
            raise ConnectTimeoutError(connection, "timed out") from None
        except OSError as error:
            raise NewConnectionError(connection, type(error).__name__) from None
