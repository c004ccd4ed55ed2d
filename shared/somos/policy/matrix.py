"""The permission matrix: module x role, the seed's table as data, and what a cell means for rows."""

from enum import Enum
from typing import Final, Literal

from .roles import SEED_ROLES, Role

Verb = Literal["read", "write"]
Cell = Literal["RW", "RW*", "R", "R*", "-"]

# R read, W write, - nothing, * own rows only. The first fifteen rows are the seed's, cell by cell.
# fmt: off
_TABLE: Final[dict[str, tuple[Cell, Cell, Cell, Cell, Cell]]] = {
    #             Admin  Diretor  Comercial  Agente_IA  Cliente
    "hunter":    ("RW",  "RW",    "R",       "RW",      "-"),
    "sdr":       ("RW",  "RW",    "R",       "RW",      "-"),
    "crm":       ("RW",  "RW",    "RW*",     "R",       "-"),
    "contracts": ("RW",  "RW",    "R",       "-",       "R"),
    "projects":  ("RW",  "RW",    "R",       "-",       "R"),
    "finance":   ("RW",  "R",     "-",       "-",       "R*"),
    "inventory": ("RW",  "RW",    "R",       "-",       "-"),
    "suppliers": ("RW",  "RW",    "R",       "-",       "-"),
    "budgets":   ("RW",  "RW",    "RW",      "RW",      "R"),
    "content":   ("RW",  "RW",    "R",       "RW",      "R*"),
    "social":    ("RW",  "RW",    "R",       "RW",      "-"),
    "hr":        ("RW",  "R",     "-",       "-",       "-"),
    "intel":     ("RW",  "RW",    "R",       "RW",      "-"),
    "analytics": ("RW",  "RW",    "R",       "R",       "R*"),
    "mobile":    ("RW",  "RW",    "RW",      "-",       "RW"),
    # Not in the seed: accounts, agents' work (tasks, model calls), what we are to people, the mesh's administration.
    "auth":      ("RW",  "R",     "R*",      "-",       "R*"),
    "agents":    ("RW",  "RW",    "RW*",     "RW*",     "-"),
    "relations": ("R",   "R",     "R",       "R",       "-"),
    "mesh":      ("RW",  "R",     "-",       "-",       "-"),
}
# fmt: on

MATRIX: Final[dict[str, dict[Role, Cell]]] = {
    module: dict(zip(SEED_ROLES, cells, strict=True)) for module, cells in _TABLE.items()
}
MODULES: Final = tuple(MATRIX)


class Reach(Enum):
    """How far a permission goes among a module's rows."""

    none = "none"
    own = "own"  # rows the principal owns
    client = "client"  # rows of the client's company, and those the person owns
    all = "all"


def reach(role: Role, module: str, verb: Verb) -> Reach:
    """What `role` reaches in `module`. A client never reaches past its own company, starred cell or not."""
    if module not in MATRIX:
        raise LookupError(f"module {module!r} is not in the permission matrix (somos/policy/matrix.py)")
    if role is Role.system:
        return Reach.all
    cell = MATRIX[module].get(role, "-")
    if cell == "-" or (verb == "write" and "W" not in cell):
        return Reach.none
    if role is Role.Cliente:
        return Reach.client
    return Reach.own if cell.endswith("*") else Reach.all
