"""The function target: functions-framework serves `main`, which answers for what this unit hosts."""

from typing import cast

import flask
import functions_framework
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from somos.mesh.dispatch import problem_response
from somos.mesh.problems import NotFound, Problem
from somos.mesh.unit import answer, application


# functions-framework reads this file a second time, as a module of its own: what is loaded stands in `unit`.
@functions_framework.http
def main(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Answer one request."""
    return answer(request)


def app() -> flask.Flask:
    """The WSGI application, for any server."""
    application()
    flask_app = cast(flask.Flask, functions_framework.create_app("main", __file__))  # type: ignore[no-untyped-call]
    flask_app.register_error_handler(HTTPException, _refused)
    return flask_app


def _refused(error: HTTPException) -> Response:
    """What the framework cannot route, a line break in the address for instance, is a problem like all others."""
    return problem_response(
        NotFound("Endereço desconhecido") if error.code == 404 else Problem("O pedido não pôde ser lido")
    )
