"""How much of a request's body is read, which each route declares beside its handler (`max_bytes`), and how long
for. A body is in memory as a whole before its function runs, so there is a limit for each and for all together."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from io import BytesIO
from typing import Any

from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

from somos.mesh.problems import Incomplete, TooLarge, TooSlow, Unavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Where a route declares nothing else.
ANONYMOUS = 64_000  # whoever has not signed in
JSON = 1_000_000
UPLOAD = 3_000_000  # thousands of rows of a sheet, and what reading them takes, fit a unit's memory
WEBHOOK = JSON
# A delivery of the mesh: an event, or a sealed call of /async-function.
DELIVERY = 2_500_000

# Of bodies larger than JSON, this many are held at once; the others wait for their turn to be read.
LARGE_AT_ONCE = 1
# Less than the watchdog's patience, so that the answer is ours.
SECONDS = 25.0
# A client reads a refusal only when it has sent everything: so much is taken and thrown away.
DISCARDED = 64_000_000
CHUNK = 64 * 1024


class Bodies:
    """Reads bodies as they arrive, in the event loop: a slow sender holds no thread."""

    def __init__(self, large_at_once: int = LARGE_AT_ONCE, seconds: float = SECONDS) -> None:
        self._large = asyncio.Semaphore(large_at_once)
        self._seconds = seconds

    async def read(self, scope: Scope, receive: Receive, max_bytes: int) -> "Body":
        """The whole body. Raises TooLarge, TooSlow, Incomplete when its sender left, and Unavailable when others'
        large bodies took all the time there was."""
        body = Body(self._large)
        if not any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"]):
            return body
        try:
            async with asyncio.timeout(self._seconds):
                await body.fill(receive, max_bytes)
        except TimeoutError:
            body.let_go()
            raise (Unavailable(headers={"Retry-After": "5"}) if body.waits else TooSlow()) from None
        except BaseException:
            body.let_go()
            raise
        return body


class Body:
    """One body. Whoever read it lets it go when the request is answered."""

    def __init__(self, large: asyncio.Semaphore) -> None:
        self.content = b""
        self.waits = False
        self._large = large
        self._holds = False

    async def fill(self, receive: Receive, max_bytes: int) -> None:
        taken = BytesIO()
        size, more = 0, True
        while more:
            part, more = await _part(receive)
            size += len(part)
            if size > max_bytes:
                taken = BytesIO()
                if size > DISCARDED:
                    break
                continue
            if size > JSON and not self._holds:
                await self._wait()
            taken.write(part)
        if size > max_bytes:
            raise TooLarge
        self.content = taken.getvalue()

    def let_go(self) -> None:
        """The next large body may be read."""
        self.content = b""
        if self._holds:
            self._holds = False
            self._large.release()

    async def _wait(self) -> None:
        self.waits = True
        await self._large.acquire()
        self._holds, self.waits = True, False


async def _part(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Incomplete
    return message.get("body", b""), message.get("more_body", False)


def bound(request: Request, max_bytes: int) -> None:
    """See to it that what is read of this request is at most `max_bytes`, whether or not its sender says how long it
    is. Raises TooLarge before more is in memory."""
    if request.content_length is not None:
        if request.content_length > max_bytes:
            raise TooLarge
        return
    stream = get_input_stream(request.environ)
    # One byte more tells a body of exactly this size from a longer one.
    taken, left = BytesIO(), max_bytes + 1
    while left and (part := stream.read(min(left, CHUNK))):
        left -= taken.write(part)
    if not left:
        raise TooLarge
    taken.seek(0)
    request.environ.update({"wsgi.input": taken, "CONTENT_LENGTH": str(max_bytes + 1 - left)})
    request.environ.pop("HTTP_TRANSFER_ENCODING", None)
