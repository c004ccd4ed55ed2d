"""Ports at which the process dies, before or after they have done their work."""

from collections.abc import Callable
from typing import Any

import pytest

from somos.ports.email import Email
from somos.ports.sent import Sent
from somos.ports.whatsapp import ChatPage, Whatsapp, WhatsappNumber
from tests.functions.sdr.conftest import Desk


class Killed(BaseException):
    """The process is gone: no handler of ours sees it go."""


class Dying(Whatsapp, Email):
    """The real port, until it is told to die before or after it has done its work."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.when, self.calls = inner, "", 0

    def _do(self, work: Callable[[], Any]) -> Any:
        self.calls += 1
        when, self.when = self.when, ""
        if when == "before":
            raise Killed
        done = work()
        if when == "after":
            raise Killed
        return done

    def check_number(self, number: str, instance: str = "") -> WhatsappNumber:
        return self.inner.check_number(number, instance)

    def messages(self, instance: str, page: int = 1, jid: str | None = None) -> ChatPage:
        return self.inner.messages(instance, page, jid)

    def send_text(self, instance: str, jid: str, text: str, key: str) -> Sent:
        return self._do(lambda: self.inner.send_text(instance, jid, text, key))

    def send(
        self, sender: str, to: str, subject: str, text: str, key: str, html: Any = None, headers: Any = None
    ) -> Sent:
        return self._do(lambda: self.inner.send(sender, to, subject, text, key, html, headers))

    def received(self, email_id: str) -> Any:
        return self.inner.received(email_id)


def dying(desk: Desk, protocol: type, when: str) -> Dying:
    wiring = desk.mesh.runtime.wiring
    port = Dying(wiring.port(protocol))
    port.when = when
    wiring._built[protocol] = port
    return port


def killed(desk: Desk) -> None:
    with pytest.raises(Killed):
        desk.mesh.drain()
