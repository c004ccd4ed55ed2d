"""The one HTTP client under the adapters of JSON APIs: every answer becomes a result or one of six errors."""

import json
import logging
import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from somos.adapters.gate import Gate
from somos.adapters.resilience import Caller, Kind, Terms
from somos.kernel.text import storable_json
from somos.ports.errors import NotConfigured, OutsideError, Refused, Throttled, Transient, Unknown

USER_AGENT = "somos/0.1"
LARGEST_ANSWER = 10 * 1024 * 1024
DEFAULT_PAUSE_S = 5.0  # when a provider says "too fast" without saying for how long

# urllib3 writes whole addresses at DEBUG, and some providers take their key in the address.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: record.levelno > logging.DEBUG)


@dataclass(frozen=True)
class Answer:
    """What came back, read whole. `kind` is how the call was made: it says what an unclear answer means."""

    kind: Kind
    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def data(self) -> Any:
        """The JSON of the body; None when it is not JSON."""
        try:
            return json.loads(storable_json(self.body))
        except ValueError:
            return None

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object of the body, empty when it is none."""
        return self.data if isinstance(self.data, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds, when the provider gave them as a number."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None

    def uncertain(self, message: str, *, code: str, outage: bool = True) -> OutsideError:
        """The answer does not tell what happened: harmless for a read, unknown for anything else."""
        kind = Transient if self.kind == "read" else Unknown
        return kind(message, code=code, status=self.status, outage=outage, retry_after=self.retry_after)


# What an answer means: None for success, else the error to raise.
Judge = Callable[[Answer], OutsideError | None]


def by_status(answer: Answer) -> OutsideError | None:
    """What the status alone says, for everything a provider's own judge has no better word for."""
    status = answer.status
    if 200 <= status < 300:
        if answer.data is None:
            return answer.uncertain("Resposta ilegível do serviço externo.", code="malformed")
        return None
    if status < 400:
        return NotConfigured("O endereço configurado redireciona.", code="redirects", status=status)
    if status == 429:
        pause = answer.retry_after if answer.retry_after is not None else DEFAULT_PAUSE_S
        return Throttled("Limite de chamadas do serviço externo.", retry_after=pause, status=status)
    if status in (401, 403):
        return NotConfigured("Chave recusada pelo serviço externo.", code="key-refused", status=status)
    if status >= 500 or status == 408:
        return answer.uncertain("O serviço externo falhou.", code="provider-failed")
    return Refused("O serviço externo recusou o pedido.", code=f"http-{status}", status=status)


class ResilientClient:
    """Speaks JSON over HTTP with one provider."""

    def __init__(
        self,
        provider: str,
        base_url: str,
        *,
        headers: Mapping[str, str],
        gate: Gate | None,
        terms: Terms,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json", **headers}
        self._caller = Caller(provider, gate, terms, sleep)
        self._session = _new_session()
        self._proxies = _proxies_to(self._base)

    def call(
        self,
        operation: str,
        kind: Kind,
        method: str,
        path: str,
        *,
        judge: Judge = by_status,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One call, retried where `kind` allows. Returns the answer that `judge` found good."""

        def attempt() -> tuple[Answer, int]:
            answer = self._exchange(kind, method, path, params, body, headers or {})
            if error := judge(answer):
                raise error
            return answer, answer.status

        return self._caller.call(operation, kind, attempt)

    def _exchange(
        self,
        kind: Kind,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Any,
        headers: Mapping[str, str],
    ) -> Answer:
        # A kept connection may be closed by the other side just as we write; one cannot tell that from a lost
        # answer. Calls that must not be repeated get a connection of their own.
        session = _new_session() if kind == "once" else self._session
        connect, read = self._caller.terms.timeouts
        deadline = time.monotonic() + connect + read
        try:
            with session.request(
                method,
                self._base + path,
                params=params,
                json=body,
                headers={**self._headers, **headers},
                timeout=(connect, read),
                allow_redirects=False,
                stream=True,
                proxies=self._proxies,
            ) as response:
                raw = read_body(response, LARGEST_ANSWER, deadline)
                lower = {name.lower(): value for name, value in response.headers.items()}
                return Answer(kind, response.status_code, lower, raw)
        except (requests.RequestException, HTTPError, OSError, BodyTooLong) as error:
            # `from None`: their texts quote the address, which may hold a key.
            raise transport_error(error, kind) from None
        finally:
            if kind == "once":
                session.close()


class BodyTooLong(Exception):
    """More bytes, or more time, than an answer may take."""


def read_body(response: requests.Response, largest: int, deadline: float, *, cut: bool = False) -> bytes:
    """The body, bounded in bytes and in time: a read timeout alone never ends on one byte a second.

    More than that is BodyTooLong or, with `cut`, left unread.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        part = response.raw.read1(65536, decode_content=True)
        if not part:
            return b"".join(parts)
        size += len(part)
        parts.append(part)
        if size > largest or time.monotonic() > deadline:
            if cut:
                return b"".join(parts)[:largest]
            raise BodyTooLong


def transport_error(error: Exception, kind: Kind) -> OutsideError:
    """What a failure to exchange anything means: harmless if the request never left, else it depends."""
    if isinstance(
        error,
        requests.exceptions.InvalidURL
        | requests.exceptions.MissingSchema
        | requests.exceptions.InvalidSchema
        | requests.exceptions.InvalidHeader,
    ):
        return NotConfigured("Endereço ou chave configurados de forma inválida.", code="bad-address")
    if never_left(error):
        return Transient("Não foi possível conectar ao serviço externo.", code="unreachable", outage=True)
    lost = Transient if kind == "read" else Unknown
    return lost("A resposta do serviço externo se perdeu.", code="answer-lost", outage=True)


def never_left(error: BaseException) -> bool:
    """Whether the failure came before the first byte of the request could leave."""
    seen: list[BaseException] = [error]
    for cause in seen:
        if isinstance(cause, NewConnectionError | ConnectTimeoutError | ssl.SSLCertVerificationError):
            return True
        inner = [getattr(cause, "reason", None), getattr(cause, "original_error", None), *cause.args]
        seen += [one for one in inner if isinstance(one, BaseException) and one not in seen]
    return False


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a .netrc would replace our Authorization header
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    return session


def _proxies_to(base_url: str) -> dict[str, str]:
    """The proxies of the environment, never for this machine itself."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.startswith("127.") or host == "::1":
        return {}
    return get_environ_proxies(base_url)
