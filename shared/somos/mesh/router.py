"""Which endpoint answers a method and path; a literal path wins over one with parameters."""

from collections.abc import Iterable
from typing import Any, TypeVar

from werkzeug.exceptions import MethodNotAllowed as NoMethod
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.routing import Map, RequestRedirect, Rule

from somos.mesh.problems import MethodNotAllowed, NotFound

Target = TypeVar("Target")


class Router:
    """Built once per process over werkzeug's matcher."""

    def __init__(self, routes: Iterable[tuple[str, str, Any]]) -> None:
        rules = [
            Rule(path.replace("{", "<").replace("}", ">"), methods=[method], endpoint=target)
            for method, path, target in routes
        ]
        self._adapter = Map(rules, strict_slashes=False, redirect_defaults=False, merge_slashes=False).bind("")

    def match(self, method: str, path: str) -> tuple[Any, dict[str, str]]:
        """The target and the path's parameters. Raises NotFound or MethodNotAllowed."""
        try:
            target, values = self._adapter.match(path, method)
            return target, dict(values)
        except NoMethod as error:
            allowed = ", ".join(sorted(error.valid_methods or ()))
            raise MethodNotAllowed(headers={"Allow": allowed}) from None
        except (NoRoute, RequestRedirect):
            raise NotFound("Endereço desconhecido") from None
