"""`gateway/nginx/routes.conf`: which function answers a method and path, for nginx in front of OpenFaaS or Knative."""

import re
from collections.abc import Iterable

from somos.mesh import bodies
from somos.mesh.derive.placement import Platform
from somos.mesh.derive.pods import HEADER as NOTE
from somos.mesh.derive.pods import NAMESPACE, PORT
from somos.mesh.derive.units import Unit, homes
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
    lines += [f'    "~^{e.method} {_expression(e.path)}$" {e.function};' for e in pattern]
    return HEADER + "\n".join(lines) + "\n}\n"


def nginx_bodies(routes: Routes) -> str:
    """`gateway/nginx/bodies.conf`: the size of body of each address that does not take what most do."""
    most: dict[str, int] = {}
    for edge in routes.edges:
        if edge.method != "GET":
            most[edge.path] = max(most.get(edge.path, 0), edge.max_bytes)
    sizes = {path: size for path, size in most.items() if size != bodies.JSON}
    return NOTE + "\n".join(_sized(path, sizes[path]) for path in sorted(sizes)) + "\n"


def _sized(path: str, size: int) -> str:
    matched = f"~ ^{_expression(path)}$" if "{" in path else f"= {path}"
    hook = path.startswith("/webhook/")
    # Senders repeat what gets 413; on 422 they give up. The functions say the same.
    error_page = " error_page 413 =422 @large_report;" if hook else ""
    handed_on = "@webhook" if hook else "@api"
    return f"location {matched} {{ client_max_body_size {size};{error_page} try_files /.none {handed_on}; }}"


def _order(edge: Edge) -> tuple[int, str, str]:
    literal = len([part for part in edge.path.split("/") if not part.startswith("{")])
    return -literal, edge.path, edge.method


def _expression(path: str) -> str:
    return _PARAMETER.sub("[^/]+", re.escape(path).replace("\\-", "-"))


def nginx_units(units: Iterable[Unit], platform: Platform) -> str:
    """`gateway/nginx/units/<placement>.conf`: the unit of a function, and how the unit is addressed."""
    units = list(units)
    moved = sorted((function, unit) for function, unit in homes(units).items() if function != unit)
    lines = ["map $somos_function $somos_unit {", "    default $somos_function;"]
    lines += [f"    {function} {unit};" for function, unit in moved]
    lines += ["}", *_ADDRESSES[platform], *_health(units, platform)]
    return NOTE + "\n".join(lines) + "\n"


def _addressed(upstream: str, prefix: str, host: str) -> list[str]:
    return [
        f'map $somos_unit $somos_upstream {{ default "{upstream}"; }}',
        f'map $somos_unit $somos_prefix {{ default "{prefix}"; }}',
        f'map $somos_unit $somos_host {{ default "{host}"; }}',
    ]


# OpenFaaS finds a unit by path, Knative by name; under compose each unit is a name of Docker's own.
_ADDRESSES: dict[Platform, list[str]] = {
    "openfaas": _addressed("functions", "/function/$somos_unit", "$host"),
    "knative": _addressed("functions", "", f"$somos_unit.{NAMESPACE}.svc.cluster.local"),
    "compose": [
        "# Um contêiner refeito muda de endereço.",
        "resolver 127.0.0.11 valid=5s ipv6=off;",
        *_addressed(f"$somos_unit:{PORT}", "", "$host"),
    ],
}


def _health(units: list[Unit], platform: Platform) -> list[str]:
    """Who answers /health: the gateway, or else one unit, of those that do not sleep when there are any."""
    awake = [unit for unit in units if unit.scale.min] or [unit for unit in units if unit.tier == "interactive"]
    one = (awake or units)[0].name
    upstream, host = {
        "openfaas": ("functions/healthz", "$host"),
        "knative": ("functions/_/ready", f"{one}.{NAMESPACE}.svc.cluster.local"),
        "compose": (f"{one}:{PORT}/_/ready", "$host"),
    }[platform]
    return [
        f'map "" $somos_health {{ default "{upstream}"; }}',
        f'map "" $somos_health_host {{ default "{host}"; }}',
    ]
