"""Pings from the platform's scheduler: Knative's PingSource, OpenFaaS's cron-connector.

Neither can sign what it sends. So a ping says nothing but "look at the clock": whoever sends it, only the timers that
are due in this minute tick, once, as they do when the relay looks; their functions then get signed deliveries. Anybody
can send one, so a minute's further pings do nothing: the first have stated all that is due in it.
"""

from datetime import datetime

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from somos.mesh import clock, outbox
from somos.mesh.authorization import enforce_limit
from somos.mesh.problems import TooMany
from somos.mesh.runtime import Runtime
from somos.policy.limits import Limit

PING = "dev.knative.sources.ping"
CRON = "cron-connector"
# Several, because a scheduler may send one for each timer, and the first may have failed half-way.
PING_LIMIT = Limit("cron-ping", 5, 60)


def is_cron_ping(headers: Headers) -> bool:
    return headers.get("Ce-Type") == PING or headers.get("X-Connector") == CRON


def answer_cron_ping(runtime: Runtime) -> Response:
    """State the ticks of this minute; 202."""
    from somos.mesh.relay import Relay

    minute = clock.now().replace(second=0, microsecond=0)
    if not _is_within_limit(runtime, minute):
        return Response(status=202)
    Relay(runtime).tick(minute)
    outbox.fan_out(runtime.engine, runtime.routes)
    runtime.notifier.wake(outbox.due_queues(runtime.engine))
    return Response(status=202)


def _is_within_limit(runtime: Runtime, minute: datetime) -> bool:
    try:
        enforce_limit(runtime, PING_LIMIT, minute.isoformat())
    except TooMany:
        return False
    return True
