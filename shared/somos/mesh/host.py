"""The function target: functions-framework serves `main`, which answers for what this unit hosts.

`SOMOS_FUNCTION` names one function (`crm-deals`); without it every function of `functions/` is hosted.
"""

import os
from functools import cache
from typing import cast

import flask
import functions_framework

from somos.mesh.declare import registry
from somos.mesh.dispatch import Application
from somos.mesh.loader import load
from somos.mesh.log import configure
from somos.settings import Settings


@cache
def application() -> Application:
    """The dispatcher of this unit, loaded once."""
    configure(Settings.from_environment().log_level)
    load(os.environ.get("SOMOS_FUNCTION") or None)
    return Application(registry)


@functions_framework.http
def main(request: flask.Request) -> flask.typing.ResponseReturnValue:
    """Answer one request."""
    if request.path in ("/_/health", "/_/ready"):
        return {"status": "ok"}
    return application()(request)


def app() -> flask.Flask:
    """The WSGI application, for any server."""
    application()
    return cast(flask.Flask, functions_framework.create_app("main", __file__))  # type: ignore[no-untyped-call]
