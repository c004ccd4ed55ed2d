"""Load on loopback: as fast as it goes over a few connections, or at a steady rate."""

import asyncio
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Served:
    """What a load saw. Latencies in milliseconds."""

    per_second: float
    p50: float
    p95: float
    failures: int


async def _request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> int:
    writer.write(raw)
    status = int((await reader.readline()).split()[1])
    length = 0
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    await reader.readexactly(length)
    return status


def _raw(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def _flat_out(port: int, paths: list[str], token: str, seconds: float, connections: int) -> Served:
    raws = [_raw(path, token) for path in paths]
    spent: list[float] = []
    failures = 0
    end = time.perf_counter() + seconds

    async def one(offset: int) -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        n = offset
        while (begun := time.perf_counter()) < end:
            failures += await _request(reader, writer, raws[n % len(raws)]) != 200
            spent.append((time.perf_counter() - begun) * 1000)
            n += connections
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one(offset) for offset in range(connections)))
    return _served(spent, failures, time.perf_counter() - begun)


async def _steady(port: int, paths: list[str], token: str, seconds: float, rate: float) -> Served:
    spent: list[float] = []
    failures = 0

    async def one(path: str, planned: float) -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        failures += await _request(reader, writer, _raw(path, token)) != 200
        spent.append((time.perf_counter() - planned) * 1000)
        writer.close()

    begun = time.perf_counter()
    under_way = []
    for n in range(int(seconds * rate)):
        planned = begun + n / rate
        await asyncio.sleep(max(0, planned - time.perf_counter()))
        under_way.append(asyncio.create_task(one(paths[n % len(paths)], planned)))
    await asyncio.gather(*under_way)
    return _served(spent, failures, time.perf_counter() - begun)


def _served(spent: list[float], failures: int, seconds: float) -> Served:
    cuts = statistics.quantiles(spent, n=20)
    return Served(len(spent) / seconds, statistics.median(spent), cuts[18], failures)


def flat_out(port: int, paths: list[str], token: str, seconds: float = 4, connections: int = 8) -> Served:
    """Closed loop: each connection asks again as soon as it is answered."""
    return asyncio.run(_flat_out(port, paths, token, seconds, connections))


def steady(port: int, paths: list[str], token: str, seconds: float = 8, rate: float = 30) -> Served:
    """Open loop: asks at `rate` whatever the answers do; latency counts from when it should have asked."""
    return asyncio.run(_steady(port, paths, token, seconds, rate))
