"""Webhooks on their way out: signing, the providers' own retries, and holding, doubling or reordering them."""

import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import urllib3

from infra.sandbox.agenda import Agenda
from infra.sandbox.clock import iso, now
from infra.sandbox.config import Config
from infra.sandbox.state import Row, State


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Seconds to wait before each further attempt, and the answers that end the trying."""

    waits: tuple[float, ...]
    final: frozenset[int] = frozenset()


POLICIES = {
    # 10 attempts, 5 s doubling to 300 s; these answers are never retried.
    "evolution": RetryPolicy(tuple(min(300.0, 5.0 * 2**n) for n in range(9)), frozenset({400, 401, 403, 404, 422})),
    # Svix: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h.
    "resend": RetryPolicy((5, 300, 1800, 7200, 18000, 36000, 36000)),
}
USER_AGENTS = {"evolution": "axios/1.7.9", "resend": "Svix-Webhooks/1.77"}
PARALLEL = 16


def svix_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers a Svix receiver verifies; the id stays the same on every retry."""
    encoded = secret.removeprefix("whsec_")
    key = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"svix-id": message_id, "svix-timestamp": str(timestamp), "svix-signature": f"v1,{signature}"}


def evolution_jwt(secret: str, issued_at: int) -> str:
    """HS256 token Evolution makes of the header `jwt_key`; signed once per event, reused on retries."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    header = part(b'{"alg":"HS256","typ":"JWT"}')
    claims = {"iat": issued_at, "exp": issued_at + 600, "app": "evolution", "action": "webhook"}
    signed = f"{header}.{part(json.dumps(claims, separators=(',', ':')).encode())}"
    return f"{signed}.{part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


class Webhooks:
    """The queue of deliveries. Every attempt is kept, so a test can see who got what and how often."""

    def __init__(self, state: State, agenda: Agenda, config: Config) -> None:
        self._state = state
        self._agenda = agenda
        self._config = config
        self._http = urllib3.PoolManager(maxsize=PARALLEL, retries=False)
        agenda.register("deliver", self._deliver_job)

    def close(self) -> None:
        self._http.clear()

    @property
    def holding(self) -> bool:
        return bool(self._state.setting("holding", False))

    def hold(self) -> None:
        self._state.set_setting("holding", True)

    def queue(
        self, provider: str, event: str, key: str, url: str, headers: dict[str, str],
        body: dict[str, Any], secret: str | None = None,
    ) -> None:  # fmt: skip
        """Plan one delivery; it leaves at once unless webhooks are held."""
        with self._state.write():
            holding = self.holding
            delivery = self._state.insert(
                "deliveries",
                provider=provider,
                event=event,
                key=key,
                url=url,
                headers=json.dumps(headers),
                secret=secret,
                body=json.dumps(body, ensure_ascii=False, separators=(",", ":")),
                state="held" if holding else "waiting",
                created_at=now(),
            )
            if not holding:
                self._agenda.add("deliver", 0.0, delivery=delivery, tries=0)

    def release(
        self, times: int = 1, order: str = "sent", parallel: bool = False,
        ids: Sequence[int] | None = None, keep_holding: bool = False,
    ) -> list[Row]:  # fmt: skip
        """Send what was held and wait for the answers; later webhooks flow again unless told otherwise."""
        with self._state.write():
            self._state.set_setting("holding", keep_holding)
            waiting = [
                int(r["id"]) for r in self._state.rows("SELECT id FROM deliveries WHERE state='held' ORDER BY id")
            ]
            chosen = [i for i in ids if i in waiting] if ids else waiting
            for delivery in chosen:
                self._state.run("UPDATE deliveries SET state='waiting' WHERE id=?", delivery)
            if not keep_holding:
                for delivery in set(waiting) - set(chosen):
                    self._state.run("UPDATE deliveries SET state='waiting' WHERE id=?", delivery)
                    self._agenda.add("deliver", 0.0, delivery=delivery, tries=0)
        return self._send_many(chosen, times, order, parallel)

    def replay(
        self, times: int = 1, order: str = "sent", parallel: bool = False,
        ids: Sequence[int] | None = None, provider: str | None = None,
    ) -> list[Row]:  # fmt: skip
        """Send again what was already sent, byte for byte (only the Svix timestamp is new)."""
        rows = self._state.rows(
            "SELECT id FROM deliveries WHERE state != 'held' AND (? IS NULL OR provider = ?) ORDER BY id",
            provider,
            provider,
        )
        sent = [int(r["id"]) for r in rows]
        return self._send_many([i for i in ids if i in sent] if ids else sent, times, order, parallel)

    def log(self, provider: str | None = None, state: str | None = None, limit: int = 500) -> list[Row]:
        """The last deliveries with their attempts, oldest first."""
        rows = self._state.rows(
            "SELECT * FROM (SELECT * FROM deliveries WHERE (? IS NULL OR provider = ?) AND (? IS NULL OR state = ?)"
            " ORDER BY id DESC LIMIT ?) ORDER BY id",
            provider, provider, state, state, limit,
        )  # fmt: skip
        for row in rows:
            row["body"] = json.loads(row["body"])
            row["created_at"] = iso(row["created_at"])
            del row["headers"], row["secret"]  # live credentials
            row["tries"] = self._state.rows(
                "SELECT at, status, ms, error FROM attempts WHERE delivery_id=? ORDER BY at, rowid", row["id"]
            )
        return rows

    def _send_many(self, ids: Sequence[int], times: int, order: str, parallel: bool) -> list[Row]:
        sequence = list(ids) * max(1, times)
        if order == "reversed":
            sequence.reverse()
        elif order == "random":
            random.Random(int(self._state.setting("seed"))).shuffle(sequence)
        if parallel:
            with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
                statuses = list(pool.map(self._attempt, sequence))
        else:
            statuses = [self._attempt(delivery) for delivery in sequence]
        results = [{"id": i, "status": s} for i, s in zip(sequence, statuses, strict=True)]
        accepted = {r["id"] for r in results if r["status"] and 200 <= r["status"] < 300}
        for delivery in sorted(set(ids) - accepted):
            last = next(r["status"] for r in reversed(results) if r["id"] == delivery)
            self._plan_retry(delivery, 0, last)
        return results

    def _deliver_job(self, payload: dict[str, Any]) -> None:
        delivery, tries = int(payload["delivery"]), int(payload["tries"])
        status = self._attempt(delivery)
        if status is None or not 200 <= status < 300:
            self._plan_retry(delivery, tries, status)

    def _attempt(self, delivery: int) -> int | None:
        """One POST; answers the status, or None when nobody answered."""
        row = self._state.one("SELECT * FROM deliveries WHERE id=?", delivery)
        if row is None:  # the world was reset meanwhile
            return 204
        body = row["body"].encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENTS[row["provider"]],
            **json.loads(row["headers"]),
        }
        if row["secret"]:
            headers |= svix_headers(row["secret"], row["key"], int(now()), body)
        started = time.perf_counter()
        status: int | None = None
        error: str | None = None
        try:
            timeout = urllib3.Timeout(total=self._config.webhook_timeout_s)
            answer = self._http.request("POST", row["url"], body=body, headers=headers, timeout=timeout, redirect=False)
            status = answer.status
        except urllib3.exceptions.HTTPError as problem:
            error = f"{type(problem).__name__}: {problem}"[:300]
        ms = round((time.perf_counter() - started) * 1000)
        with self._state.write():
            self._state.insert("attempts", delivery_id=delivery, at=now(), status=status, ms=ms, error=error)
            self._state.run("UPDATE deliveries SET attempts = attempts + 1 WHERE id=?", delivery)
            if status is not None and 200 <= status < 300:
                self._state.run("UPDATE deliveries SET state='delivered' WHERE id=?", delivery)
        return status

    def _plan_retry(self, delivery: int, tries: int, status: int | None) -> None:
        row = self._state.one("SELECT provider, state FROM deliveries WHERE id=?", delivery)
        if row is None or row["state"] == "delivered":
            return
        policy = POLICIES[row["provider"]]
        if status in policy.final or tries >= len(policy.waits):
            self._state.run("UPDATE deliveries SET state='failed' WHERE id=?", delivery)
            return
        with self._state.write():
            self._state.run("UPDATE deliveries SET state='retrying' WHERE id=?", delivery)
            wait_s = policy.waits[tries] * self._config.time_scale
            self._agenda.add("deliver", wait_s, delivery=delivery, tries=tries + 1)
