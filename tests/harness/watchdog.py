"""of-watchdog in HTTP mode, as far as a unit can tell: `python -m tests.harness.watchdog`, told by its own variables.

What of-watchdog does and this repeats: bodies go on in chunks, without a length, as they come; beyond `max_inflight`
429; `/_/ready` asks `ready_path` past that limit; an upstream that cannot be asked is an empty 500, one that takes
longer than `exec_timeout` 504. On SIGTERM it removes its lock file, passes the signal on at once, accepts and forwards
for `healthcheck_interval`, then takes nothing new and lets what is under way finish.
"""

import asyncio
import contextlib
import os
import shlex
import signal
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from somos.local.processes import dying_with_us

Pairs = list[tuple[bytes, bytes]]
UPSTREAM_ERRORS = (OSError, asyncio.IncompleteReadError, ValueError)


def seconds(name: str, default: str) -> float:
    return float(os.environ.get(name, default).removesuffix("s"))


@dataclass
class Watchdog:
    """One child, one port."""

    port: int = int(os.environ.get("port", "8080"))  # noqa: SIM112
    upstream: int = int(os.environ.get("upstream_url", ":5000").rpartition(":")[2])  # noqa: SIM112
    ready_path: bytes = os.environ.get("ready_path", "").encode()  # noqa: SIM112
    most: int = int(os.environ.get("max_inflight", "0"))  # noqa: SIM112
    exec_timeout: float = field(default_factory=lambda: seconds("exec_timeout", "30s"))
    write_timeout: float = field(default_factory=lambda: seconds("write_timeout", "30s"))
    interval: float = field(default_factory=lambda: seconds("healthcheck_interval", "10s"))
    lock: Path = Path(tempfile.gettempdir()) / ".lock"
    in_flight: int = 0
    connections: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self) -> int:
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        command = dying_with_us(shlex.split(os.environ["fprocess"]), signal.SIGKILL)  # noqa: SIM112
        child = await asyncio.create_subprocess_exec(*command)
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.lock.touch()
        await told.wait()
        child.send_signal(signal.SIGTERM)
        self.lock.unlink()
        await asyncio.sleep(self.interval)
        server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.write_timeout):
                while self.in_flight:
                    await asyncio.sleep(0.01)
        for connection in self.connections:
            connection.cancel()
        return await child.wait()

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections.add(task)
        with contextlib.suppress(*UPSTREAM_ERRORS, TimeoutError, asyncio.CancelledError):
            (method, path, _), headers = await _head(reader)
            await self._answer(method, path, headers, reader, writer)
            # As Go does: whoever still sends hears the answer before the connection goes.
            async with asyncio.timeout(5):
                while await reader.read(65536):
                    pass
        self.connections.discard(task)
        writer.close()

    async def _answer(
        self, method: bytes, path: bytes, headers: Pairs, reader: StreamReader, writer: StreamWriter
    ) -> None:
        if path == b"/_/health":
            await _write(writer, b"200" if self.lock.exists() else b"503")
        elif path == b"/_/ready" and not self.lock.exists():
            await _write(writer, b"503")
        elif self.most and self.in_flight >= self.most:
            await _write(writer, b"429")
        elif path == b"/_/ready":
            await self._forward(b"GET", self.ready_path, headers, None, writer)
        else:
            self.in_flight += 1
            try:
                await self._forward(method, path, headers, reader, writer)
            finally:
                self.in_flight -= 1

    async def _forward(
        self, method: bytes, path: bytes, headers: Pairs, body: StreamReader | None, writer: StreamWriter
    ) -> None:
        try:
            async with asyncio.timeout(self.exec_timeout):
                answer = await self._asked(method, path, headers, body)
        except TimeoutError:
            answer = (b"504", [], b"")
        except UPSTREAM_ERRORS:
            answer = (b"500", [], b"")
        await _write(writer, *answer)

    async def _asked(
        self, method: bytes, path: bytes, headers: Pairs, body: StreamReader | None
    ) -> tuple[bytes, Pairs, bytes]:
        there, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        length = dict(headers).get(b"content-length")
        kept = [(name, value) for name, value in headers if name not in (b"content-length", b"connection")]
        chunked = body is not None and (length not in (None, b"0") or (b"transfer-encoding", b"chunked") in headers)
        if length is not None and chunked:
            kept.append((b"transfer-encoding", b"chunked"))
        sending: asyncio.Task[None] | None = None
        try:
            lines = [b"%s %s HTTP/1.1" % (method, path), *(b"%s: %s" % pair for pair in kept), b"", b""]
            writer.write(b"\r\n".join(lines))
            if chunked:
                assert body is not None
                sending = asyncio.create_task(_send_on(_parts(body, length), writer))
            (_, status, *_), told = await _head(there)
            raw = b"".join([part async for part in _parts(there, dict(told).get(b"content-length"))])
            return status, [pair for pair in told if pair[0] != b"transfer-encoding"], raw
        finally:
            if sending is not None:
                sending.cancel()
            writer.close()


async def _send_on(parts: AsyncIterator[bytes], writer: StreamWriter) -> None:
    try:
        async for part in parts:
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
    except UPSTREAM_ERRORS:
        writer.close()  # whoever sent it left in the middle: so do we
        return
    writer.write(b"0\r\n\r\n")


async def _head(reader: StreamReader) -> tuple[list[bytes], Pairs]:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
    pairs = [line.partition(b":")[::2] for line in lines]
    return first.split(b" ", 2), [(name.lower(), value.strip()) for name, value in pairs]


async def _parts(reader: StreamReader, length: bytes | None) -> AsyncIterator[bytes]:
    left = int(length or 0)
    while left:
        part = await reader.read(min(left, 65536))
        if not part:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(part)
        yield part
    while length is None:
        size = int((await reader.readuntil(b"\r\n")).strip(), 16)
        part = (await reader.readexactly(size + 2))[:-2]
        if not size:
            return
        yield part


async def _write(writer: StreamWriter, status: bytes, headers: Pairs | None = None, raw: bytes = b"") -> None:
    told = [pair for pair in headers or [] if pair[0] not in (b"content-length", b"connection")]
    lines = [
        b"HTTP/1.1 %s -" % status,
        *(b"%s: %s" % pair for pair in told),
        b"content-length: %d" % len(raw),
        b"",
        b"",
    ]
    writer.write(b"\r\n".join(lines) + raw)
    await writer.drain()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(Watchdog().run()))
