"""A request without a path, which is what `faas-cli invoke NAME` makes of one: OpenFaaS hands it on as `/`."""

from collections.abc import Iterable

from somos.mesh.declare import Function
from somos.mesh.problems import MethodNotAllowed, NotFound


def default_path(functions: Iterable[Function], method: str) -> str:
    """The one address here that can be meant: no parameter in it, and of that method.

    Raises NotFound, naming the choices, or MethodNotAllowed.
    """
    functions = list(functions)
    endpoints = [endpoint for one in functions for endpoint in one.endpoints]
    webhooks = [webhook.path for one in functions for webhook in one.webhooks]
    paths = {endpoint.path for endpoint in endpoints if endpoint.method == method and not endpoint.params}
    paths |= set(webhooks) if method == "POST" else set()
    if len(paths) == 1:
        return paths.pop()
    known = sorted({f"{e.method} {e.path}" for e in endpoints} | {f"POST {path}" for path in webhooks})
    name = functions[0].name if len(functions) == 1 else "Esta unidade"
    if not known:
        raise NotFound(f"{name} atende eventos; só a malha a chama, com a sua assinatura")
    if not any(one.startswith(f"{method} ") for one in known):
        raise MethodNotAllowed(f"{name} atende {_named(known)}")
    raise NotFound(f"Diga o caminho depois do nome: {name} atende {_named(known)}")


def _named(known: list[str], most: int = 20) -> str:
    return ", ".join(known[:most]) + (f" e mais {len(known) - most}" if len(known) > most else "")
