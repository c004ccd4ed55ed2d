"""Processes of the chain: `routes FILE` writes its map, `unit NAME PORT BOOK` hosts one of its functions."""

import json
import sys
from importlib import import_module
from pathlib import Path

from werkzeug.serving import make_server
from werkzeug.wrappers import Request

from somos.mesh.declare import registry
from somos.mesh.dispatch import Application
from somos.mesh.routes import Routes
from somos.mesh.runtime import current
from tests.chaos.chain.outside import Shelf


def routes(file: str) -> None:
    import_module("tests.chaos.chain.on_link_forged")
    Path(file).write_text(json.dumps(Routes.of(registry.values()).as_json()))


def unit(name: str, port: str, book: str) -> None:
    import_module(f"tests.chaos.chain.{name}")
    current().__dict__["wiring"] = Shelf(book)
    application = Application(registry)
    make_server("127.0.0.1", int(port), Request.application(application), threaded=True).serve_forever()


{"routes": routes, "unit": unit}[sys.argv[1]](*sys.argv[2:])
