"""What this unit hosts, and whether it can answer.

`SOMOS_FUNCTION` names one function (`crm-deals`), `SOMOS_FUNCTIONS` several, by name or by module (`auth,crm-deals`);
without either every function of `functions/` is hosted.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from somos.mesh.dispatch import Application
from somos.mesh.loader import load
from somos.mesh.log import configure
from somos.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# Asked by whoever watches the unit, not by its users.
PROBES = ("/_/health", "/_/ready")

_application: list[Application] = []


def functions_to_host(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What a unit is told to host; nothing means everything."""
    names = environment.get("SOMOS_FUNCTION") or environment.get("SOMOS_FUNCTIONS") or ""
    return tuple(names.replace(",", " ").split())


def application() -> Application:
    """The dispatcher of this unit, loaded once."""
    if not _application:
        configure(Settings.from_environment().log_level)
        use(Application(load(*functions_to_host())))
    return _application[0]


def use(application: Application) -> None:
    """Answer with this one (forked units, whose parent made it)."""
    _application[:] = [application]


def answer(request: Request) -> Response:
    """Of the unit itself when asked how it is, of the function asked for otherwise."""
    if request.path == "/_/health":
        return Response('{"status": "ok"}', mimetype="application/json")
    if request.path == "/_/ready":
        return _readiness()
    return application()(request)


def wsgi(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """The same for a server, without a framework around it, which each unit would pay for."""
    # Not put into its own environ: such a circle keeps a large body until the next collection.
    return answer(Request(environ, populate_request=False))(environ, start_response)


def _readiness() -> Response:
    """200 once the functions are loaded and the database answers: only then is a request worth sending here."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from somos.mesh.database import atomically

    here = application()
    body: dict[str, Any] = {"status": "ok", "functions": sorted(here.functions)}
    pool = getattr(here.runtime.engine, "pool", None)
    if pool is not None and pool.checkedout() > pool.size():
        # Every connection is at work, for functions that the database answers: no need to stand in their line.
        return _json(body)
    try:
        with atomically(here.runtime.engine) as connection:
            connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError) as error:
        body = {"status": "waiting", "for": "database", "why": type(error).__name__}
    return _json(body)


def _json(body: dict[str, Any]) -> Response:
    return Response(json.dumps(body), 200 if body["status"] == "ok" else 503, mimetype="application/json")
