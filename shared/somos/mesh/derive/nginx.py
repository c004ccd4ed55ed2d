"""`gateway/nginx/routes.conf`: which function answers a method and path, for nginx in front of OpenFaaS or Knative."""

import re
from collections.abc import Mapping

from somos.mesh.derive.pods import HEADER as NOTE
from somos.mesh.derive.pods import NAMESPACE
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


def nginx_units(homes: Mapping[str, str], platform: str) -> str:
    """`gateway/nginx/units/<placement>.conf`: the unit of a function, and how the unit is addressed."""
    moved = sorted((function, unit) for function, unit in homes.items() if function != unit)
    lines = ["map $somos_function $somos_unit {", "    default $somos_function;"]
    lines += [f"    {function} {unit};" for function, unit in moved]
    # OpenFaaS finds a unit by path, Knative by name.
    prefix = "/function/$somos_unit" if platform == "openfaas" else ""
    host = "$host" if platform == "openfaas" else f"$somos_unit.{NAMESPACE}.svc.cluster.local"
    lines += ["}", f'map $somos_unit $somos_prefix {{ default "{prefix}"; }}']
    lines += [f'map $somos_unit $somos_host {{ default "{host}"; }}']
    return NOTE + "\n".join(lines) + "\n"
