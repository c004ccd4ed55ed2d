"""The least a function could be: functions-framework's default server, the same ORM, driver and Redis client."""

import flask
import functions_framework
import pg8000  # noqa: F401
import redis  # noqa: F401
import sqlalchemy.orm  # noqa: F401


@functions_framework.http
def main(request: flask.Request) -> str:
    return "ok"
