"""The real WhatsApp port with a door in front of its send, for what a test wants to happen in that moment."""

import threading
from collections.abc import Callable

from somos.ports.sent import Sent
from somos.ports.whatsapp import ChatPage, Whatsapp, WhatsappNumber
from tests.functions.sdr.conftest import Desk


class Watched(Whatsapp):
    """Calls `moment` just before each send."""

    def __init__(self, inner: Whatsapp, moment: Callable[[str], None]) -> None:
        self._inner, self._moment = inner, moment

    def check_number(self, number: str, instance: str = "") -> WhatsappNumber:
        return self._inner.check_number(number, instance)

    def messages(self, instance: str, page: int = 1, jid: str | None = None) -> ChatPage:
        return self._inner.messages(instance, page, jid)

    def send_text(self, instance: str, jid: str, text: str, key: str) -> Sent:
        self._moment(jid)
        return self._inner.send_text(instance, jid, text, key)


class Door:
    """Holds a send just before it leaves, until it is opened."""

    def __init__(self) -> None:
        self.reached, self._open = threading.Event(), threading.Event()

    def __call__(self, _jid: str) -> None:
        self.reached.set()
        assert self._open.wait(timeout=20)

    def open(self) -> None:
        self._open.set()


def watch(desk: Desk, moment: Callable[[str], None]) -> None:
    """Put something before every WhatsApp send of this test's runtime."""
    wiring = desk.mesh.runtime.wiring
    wiring._built[Whatsapp] = Watched(wiring.port(Whatsapp), moment)
