"""The function target: functions-framework serves `main`, which answers for what this unit hosts.

`SOMOS_FUNCTION` names one function (`crm-deals`), `SOMOS_FUNCTIONS` several, by name or by module (`auth,crm-deals`);
without either every function of `functions/` is hosted.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import cast

import flask
import functions_framework
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from somos.mesh.dispatch import Application, problem_response
from somos.mesh.loader import load
from somos.mesh.log import configure
from somos.mesh.problems import NotFound, Problem
from somos.settings import Settings


def asked(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """What a unit is told to host; nothing means everything."""
    told = environment.get("SOMOS_FUNCTION") or environment.get("SOMOS_FUNCTIONS") or ""
    return tuple(told.replace(",", " ").split())


@cache
def application() -> Application:
    """The dispatcher of this unit, loaded once."""
    configure(Settings.from_environment().log_level)
    return Application(load(*asked()))


@functions_framework.http
def main(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Answer one request."""
    if request.path == "/_/health":
        return {"status": "ok"}
    if request.path == "/_/ready":
        return ready()
    return application()(request)


def ready() -> flask.typing.ResponseReturnValue:
    """200 once the functions are loaded and the database answers: only then is a request worth sending here."""
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    from somos.mesh.database import atomically

    here = application()
    try:
        with atomically(here.runtime.engine) as connection:
            connection.execute(text("select 1"))
    except (SQLAlchemyError, OSError) as error:
        return {"status": "waiting", "for": "database", "why": type(error).__name__}, 503
    return {"status": "ok", "functions": sorted(here.functions)}


def app() -> flask.Flask:
    """The WSGI application, for any server."""
    application()
    made = cast(flask.Flask, functions_framework.create_app("main", __file__))  # type: ignore[no-untyped-call]
    made.register_error_handler(HTTPException, _refused)
    return made


def _refused(error: HTTPException) -> Response:
    """What the framework cannot route, a line break in the address for instance, is a problem like all others."""
    return problem_response(
        NotFound("Endereço desconhecido") if error.code == 404 else Problem("O pedido não pôde ser lido")
    )
