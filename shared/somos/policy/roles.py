"""The five roles of the seed, and the two that no person can be given."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The value is what tokens carry, what the database reads and what people see."""

    Admin = "Admin"
    Diretor = "Diretor"
    Comercial = "Comercial"
    Agente_IA = "Agente_IA"
    Cliente = "Cliente"
    # The mesh itself: steps, timers, webhooks. Passes row security; holds no action that a person takes.
    system = "system"
    # Nobody signed in: sees nothing.
    anonymous = "anonymous"


# The columns of the seed's matrix, in its order.
SEED_ROLES: Final = (Role.Admin, Role.Diretor, Role.Comercial, Role.Agente_IA, Role.Cliente)

# Roles a user account may have. `Agente_IA` belongs to API keys and agents only.
HUMAN_ROLES: Final = (Role.Admin, Role.Diretor, Role.Comercial, Role.Cliente)
