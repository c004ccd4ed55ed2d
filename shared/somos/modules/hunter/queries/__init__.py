"""What is asked of the hunter. Other modules use what stands in `__all__` only."""

from somos.modules.hunter.queries.leads import (
    Evidence,
    LeadCard,
    LeadStanding,
    lead_card,
    lead_cards,
    lead_standing,
    lead_states,
    person_keys,
)

__all__ = [
    "Evidence",
    "LeadCard",
    "LeadStanding",
    "lead_card",
    "lead_cards",
    "lead_standing",
    "lead_states",
    "person_keys",
]
