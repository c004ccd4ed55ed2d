"""`gateway/nginx/routes.conf`: which function answers a method and path, for nginx in front of OpenFaaS or Knative."""

import re

from somos.mesh.routes import Edge, Routes

HEADER = """\
# Derivado das declarações em functions/ por `somos derive`. Não edite: mude a função e derive de novo.
# Caminhos exatos antes dos que têm parâmetros; o que não está aqui não existe para fora.
map "$request_method $uri" $somos_function {
    default "";
"""
_PARAMETER = re.compile(r"\\\{[a-z_]+\\\}")


def nginx_routes(routes: Routes) -> str:
    """The text of the file."""
    plain = sorted((e for e in routes.edges if "{" not in e.path), key=_order)
    pattern = sorted((e for e in routes.edges if "{" in e.path), key=_order)
    lines = [f'    "{e.method} {e.path}" {e.function};' for e in plain]
    # A path that exists with parameters elsewhere must not swallow a more literal one: longest literal first.
    lines += [f'    "~^{e.method} {_expression(e)}$" {e.function};' for e in pattern]
    return HEADER + "\n".join(lines) + "\n}\n"


def _order(edge: Edge) -> tuple[int, str, str]:
    literal = len([part for part in edge.path.split("/") if not part.startswith("{")])
    return -literal, edge.path, edge.method


def _expression(edge: Edge) -> str:
    return _PARAMETER.sub("[^/]+", re.escape(edge.path).replace("\\-", "-"))
