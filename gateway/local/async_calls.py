"""`/async-function/NAME`: the call is stored as a delivery of the mesh, so no restart loses it."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import requests
from cryptography.fernet import Fernet
from sqlalchemy import insert, text
from werkzeug.datastructures import Headers

from gateway.local.exchange import Answer, Call
from somos.adapters.sites import PROXY
from somos.adapters.sites.public_web import Blocked, check_url, public_session
from somos.mesh import clock, cloud_events, outbox
from somos.mesh.database import atomically
from somos.mesh.ids import uuid7
from somos.mesh.log import log
from somos.mesh.problems import Invalid
from somos.mesh.queues import DEFAULT
from somos.mesh.records import Delivery, Outbox
from somos.mesh.runtime import Runtime

TYPE = "gateway.call"
TIMEOUT_S = 60
ATTEMPTS = 3
CALLBACK = "X-Callback-Url"
_CALLBACK_S = (5, 15)


class AsyncCalls:
    """Takes calls in, and makes them when a worker brings them back. What was sent is sealed: it may hold
    credentials, and the outbox holds none."""

    def __init__(self, runtime: Runtime, invoke: Callable[[Call], Answer]) -> None:
        self._runtime = runtime
        self._invoke = invoke
        digest = hashlib.sha256(b"async-call:" + runtime.settings.mesh_secret.encode()).digest()
        self._seal = Fernet(base64.urlsafe_b64encode(digest))
        proxy = runtime.settings.outside.get(PROXY.name, "")
        self.callbacks: Callable[[], requests.Session] = lambda: public_session(proxy)

    def take(self, call: Call, function: str, rest: str) -> Answer:
        """Store the call; 202 with its id. Raises Invalid for a callback that is not on the public internet."""
        if url := call.header(CALLBACK):
            try:
                check_url(url)
            except Blocked:
                raise Invalid("A resposta só pode ser levada a um endereço público", field=CALLBACK) from None
        id = uuid7()
        sealed = self._seal.encrypt(
            json.dumps(
                {
                    "method": call.method,
                    "path": f"/function/{function}{rest}",
                    "query": call.query,
                    "headers": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in call.headers],
                    "client": call.client,
                    "body": base64.b64encode(call.body).decode(),
                }
            ).encode()
        )
        now = clock.now()
        row = outbox.row(TYPE, {"sealed": sealed.decode()}, outbox.Cause(id, None, None, "gateway"), id=id)
        delivery = {
            "id": id, "event_id": id, "type": TYPE, "function": function, "queue": DEFAULT.name,
            "due_at": now, "timeout": TIMEOUT_S, "max_attempts": ATTEMPTS,
        }  # fmt: skip
        with atomically(self._runtime.engine) as connection:
            connection.execute(insert(Outbox), [{**row, "fanned_at": now}])
            connection.execute(insert(Delivery), [delivery])
        self._runtime.notifier.wake([DEFAULT.name])
        return Answer(202, [("X-Call-Id", str(id))])

    def make(self, delivered: Call) -> Answer:
        """A worker brings a stored call: make it, tell the callback, and mark the delivery done.

        Raises Unauthorised unless the mesh signed it. A POST carries the call's id as its Idempotency-Key, so
        a repeated delivery repeats the answer, not the effect.
        """
        headers = Headers([(k.decode("latin-1"), v.decode("latin-1")) for k, v in delivered.headers])
        cloud_events.verify(self._runtime.settings.mesh_secret, headers, delivered.body)
        id = UUID(headers["Ce-Id"])
        stored = json.loads(self._seal.decrypt(json.loads(delivered.body)["sealed"]))
        call = _call(stored, id)
        answer = self._invoke(call)
        if answer.status >= 500:
            return answer
        if url := call.header(CALLBACK):
            self._tell(url, id, answer)
        with atomically(self._runtime.engine) as connection:
            connection.execute(
                text("update mesh.deliveries set state = 'done', done_at = :now where id = :id"),
                {"id": id, "now": clock.now()},
            )
        return Answer(204)

    def _tell(self, url: str, id: UUID, answer: Answer) -> None:
        headers = {
            "X-Call-Id": str(id),
            "X-Function-Status": str(answer.status),
            **{k: v for k, v in answer.headers if k.lower() == "content-type"},
        }
        try:
            with self.callbacks() as session:
                session.post(url, answer.body, headers=headers, timeout=_CALLBACK_S, allow_redirects=False)
        except (requests.RequestException, Blocked) as error:
            # As OpenFaaS does: the call is done; whoever asked for the callback may be gone.
            log.warning("callback_failed", call=id, error=type(error).__name__)


def _call(stored: dict[str, Any], id: UUID) -> Call:
    headers = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in stored["headers"]]
    call = Call(
        stored["method"], stored["path"], stored["query"], headers, stored["client"], base64.b64decode(stored["body"])
    )
    headers.append((b"x-call-id", str(id).encode()))
    if call.method == "POST" and not call.header("Idempotency-Key"):
        headers.append((b"idempotency-key", str(id).encode()))
    return call
