"""Who answers for a function. Today everything lives in this process; placement decides otherwise later."""

from typing import Any

from werkzeug.wrappers import Request, Response

from somos.mesh.declare import Function
from somos.mesh.dispatch import Application
from somos.mesh.runtime import Runtime


class Hosts:
    """The one place that knows where functions run."""

    def __init__(self, functions: dict[str, Function], runtime: Runtime) -> None:
        self.functions = functions
        self._application = Application(functions, runtime)

    def __contains__(self, function: str) -> bool:
        return function in self.functions

    def answer(self, function: str, environ: dict[str, Any]) -> Response:
        """Let a function answer a request."""
        return self._application(Request(environ), function)
