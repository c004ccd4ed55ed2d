"""A unit of the functions in `leads/`: `python -m tests.bench.unit --port 8080`."""

import argparse
from functools import cache
from importlib import import_module
from pathlib import Path

import flask
import functions_framework

from somos.mesh.declare import Function, registry
from somos.mesh.dispatch import Application
from somos.mesh.log import configure
from somos.mesh.serve import serve
from somos.settings import Settings


def functions() -> dict[str, Function]:
    for file in sorted((Path(__file__).parent / "leads").glob("on_*.py")):
        import_module(f"tests.bench.leads.{file.stem}")
    return {name: function for name, function in registry.items() if name.startswith("leads-")}


@cache
def application() -> Application:
    configure(Settings.from_environment().log_level)
    return Application(functions())


@functions_framework.http
def main(request: flask.Request) -> flask.typing.ResponseReturnValue:
    if request.path == "/_/health":
        return {"status": "ok"}
    return application()(request)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    serve(functions_framework.create_app("main", __file__), application(), "127.0.0.1", parser.parse_args().port, 8)
