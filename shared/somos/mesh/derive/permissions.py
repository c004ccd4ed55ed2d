"""`gateway/permissions.md`: every endpoint, what it asks, and how far each role gets."""

from collections.abc import Iterable

from somos.mesh.declare import Endpoint, Function
from somos.policy.actions import ACTIONS
from somos.policy.grants import roles_allowed
from somos.policy.matrix import Reach, reach
from somos.policy.roles import SEED_ROLES, Role

HEADER = """\
# Quem pode o quê

Derivado das declarações em `functions/` e da matriz em `shared/somos/policy` por `somos derive`. Não edite.

`sim` todas as linhas · `próprios` só as próprias · `da empresa` só as da empresa do cliente · `-` não.
"""
WORDS = {Reach.all: "sim", Reach.own: "próprios", Reach.client: "da empresa", Reach.none: "-"}


def permissions(functions: Iterable[Function]) -> str:
    """The text of the file: one table per module."""
    parts = [HEADER]
    modules: dict[str, list[Endpoint]] = {}
    for function in functions:
        modules.setdefault(function.module, []).extend(function.endpoints)
    for module, endpoints in sorted(modules.items()):
        if endpoints:
            parts.append(f"## {module}\n")
            parts.append("| Pedido | Permissão | " + " | ".join(SEED_ROLES) + " |")
            parts.append("|---|---|" + "---|" * len(SEED_ROLES))
            parts += [_row(e) for e in sorted(endpoints, key=lambda e: (e.path, e.method))]
            parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def reaches(permission: str) -> dict[Role, str]:
    """How far each role gets with a permission, in words."""
    allowed = roles_allowed(permission)
    if ":" not in permission or permission in ACTIONS:
        return {role: "sim" if role in allowed else "-" for role in SEED_ROLES}
    module, verb = permission.split(":")
    return {role: WORDS[reach(role, module, "write" if verb == "write" else "read")] for role in SEED_ROLES}


def _row(endpoint: Endpoint) -> str:
    cells = reaches(endpoint.allow)
    words = " | ".join(cells[role] for role in SEED_ROLES)
    return f"| `{endpoint.method} {endpoint.path}` | `{endpoint.allow}` | {words} |"
