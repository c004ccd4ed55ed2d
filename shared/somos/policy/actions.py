"""Actions finer than reading and writing: decisions that only people take, and which roles take them.

No action is ever held by `Agente_IA`, an API key or the mesh itself: `grants.allows` refuses whatever is not
a person, so a new line here cannot hand a decision to a program.
"""

from typing import Final

from .roles import Role

_ADMIN: Final = frozenset({Role.Admin})
_DIRECTION: Final = frozenset({Role.Admin, Role.Diretor})
_SALES: Final = frozenset({Role.Admin, Role.Diretor, Role.Comercial})
_DIRECTION_OR_CLIENT: Final = frozenset({Role.Admin, Role.Diretor, Role.Cliente})

# fmt: off
ACTIONS: Final[dict[str, frozenset[Role]]] = {
    # Prospecting: what is read off a page is the Admin's; what is said of a lead is what scores are measured against.
    "hunter.configure":    _ADMIN,
    "lead.decide":         _DIRECTION,
    "lead.erase":          _DIRECTION,
    # Outreach: first contact is decided by the direction; answering a conversation also by its seller.
    "outreach.approve":    _DIRECTION,
    "conversation.reply":  _SALES,
    "person.suppress":     _SALES,
    "sender.repair":       _DIRECTION,
    # An effect whose outcome is unknown: a person says whether it happened.
    "effect.settle":       _DIRECTION,
    # Pipeline
    "crm.configure":       _DIRECTION,
    "deal.reassign":       _DIRECTION,
    "deal.reopen_won":     _DIRECTION,
    "deal.override":       _DIRECTION,
    # Documents and content: what a client decides is an action, as the matrix lets clients only read.
    "budget.approve":      _DIRECTION,
    "budget.discount":     _DIRECTION,
    "budget.accept":       _DIRECTION_OR_CLIENT,
    "contract.approve":    _DIRECTION,
    "contract.sign":       _DIRECTION_OR_CLIENT,
    "content.approve":     _DIRECTION_OR_CLIENT,
    "post.publish":        _DIRECTION,
    # Money
    "payment.approve":     _ADMIN,
    "payment.refund":      _ADMIN,
    # The house
    "agent.stop":          _DIRECTION,
    "user.manage":         _ADMIN,
    "api_key.manage":      _ADMIN,
    "dead.replay":         _ADMIN,
}
# fmt: on
