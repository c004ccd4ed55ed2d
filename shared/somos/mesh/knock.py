"""A clock of the platform at the door: Knative's PingSource, OpenFaaS's cron-connector.

Neither can sign what it sends. So a knock says nothing but "look at the clock": whoever knocks, only the timers that
are due in this minute tick, once, as they do when the relay looks; their functions then get signed deliveries.
"""

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response

from somos.mesh import clock, outbox
from somos.mesh.runtime import Runtime

PING = "dev.knative.sources.ping"
CRON = "cron-connector"


def is_knock(headers: Headers) -> bool:
    return headers.get("Ce-Type") == PING or headers.get("X-Connector") == CRON


def knocked(runtime: Runtime) -> Response:
    """State the ticks of this minute; 202."""
    from somos.mesh.relay import Relay

    Relay(runtime).tick(clock.now().replace(second=0, microsecond=0))
    outbox.fan_out(runtime.engine, runtime.routes)
    runtime.bell.ring(outbox.due_queues(runtime.engine))
    return Response(status=202)
