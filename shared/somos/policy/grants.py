"""The one question of every endpoint: may this principal do that?"""

from typing import Final

from .actions import ACTIONS
from .matrix import MODULES, Reach, Verb, reach
from .principals import Kind, Principal
from .roles import SEED_ROLES, Role

ANYONE: Final = "anyone"
SIGNED_IN: Final = "signed-in"

# Where a demoted or disabled person must be out at once, not when the token expires: money, sends, accounts.
_FRESH_WRITES: Final = frozenset({"finance", "contracts", "sdr", "social", "auth", "mesh"})


class UnknownPermission(LookupError):
    """A permission that neither the matrix nor the actions know: a mistake in the code that names it."""

    def __init__(self, permission: str) -> None:
        super().__init__(
            f"unknown permission {permission!r}: use '<module>:read', '<module>:write', an action of "
            f"somos/policy/actions.py, '{SIGNED_IN}' or '{ANYONE}'"
        )


def known_permissions() -> tuple[str, ...]:
    """Every name that a function may require."""
    modules = tuple(f"{module}:{verb}" for module in MODULES for verb in ("read", "write"))
    return (ANYONE, SIGNED_IN, *modules, *ACTIONS)


def check_permission(permission: str) -> None:
    """Raise `UnknownPermission` unless the name is known; declarations call this when they are made."""
    if permission not in _KNOWN:
        raise UnknownPermission(permission)


def allows(principal: Principal, permission: str) -> bool:
    """Whether `principal` may use `permission` at all; which rows it then reaches is for `scopes` to say."""
    check_permission(permission)
    if permission == ANYONE:
        return True
    if principal.kind is Kind.anonymous:
        return False
    if permission == SIGNED_IN:
        return True
    if permission in ACTIONS:
        return principal.is_person and principal.role in ACTIONS[permission]
    module, verb = _split(permission)
    if principal.scopes is not None and not _scope_covers(principal.scopes, module, verb):
        return False
    return reach(principal.role, module, verb) is not Reach.none


def roles_allowed(permission: str) -> tuple[Role, ...]:
    """The seed's roles that hold the permission, in the seed's order; for tables that people read."""
    check_permission(permission)
    if permission in (ANYONE, SIGNED_IN):
        return SEED_ROLES
    if permission in ACTIONS:
        return tuple(role for role in SEED_ROLES if role in ACTIONS[permission])
    module, verb = _split(permission)
    return tuple(role for role in SEED_ROLES if reach(role, module, verb) is not Reach.none)


def key_scopes() -> tuple[str, ...]:
    """The permissions that an API key can be given: what the matrix grants `Agente_IA`, and no action."""
    return tuple(
        f"{module}:{verb}"
        for module in MODULES
        for verb in _VERBS
        if reach(Role.Agente_IA, module, verb) is not Reach.none
    )


def is_fresh_required(permission: str) -> bool:
    """Whether to read the account again instead of trusting the token: every action, and risky writes."""
    check_permission(permission)
    if permission in ACTIONS:
        return True
    if permission in (ANYONE, SIGNED_IN):
        return False
    module, verb = _split(permission)
    return verb == "write" and module in _FRESH_WRITES


_VERBS: Final[tuple[Verb, ...]] = ("read", "write")
_KNOWN: Final = frozenset(known_permissions())


def _split(permission: str) -> tuple[str, Verb]:
    module, _, verb = permission.partition(":")
    return module, "write" if verb == "write" else "read"


def _scope_covers(scopes: frozenset[str], module: str, verb: Verb) -> bool:
    return f"{module}:write" in scopes or (verb == "read" and f"{module}:read" in scopes)
