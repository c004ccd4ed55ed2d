"""What is asked of the hunter. Other modules use `lead_card` and `lead_states` only."""

from somos.modules.hunter.queries.cards import Evidence, LeadCard, lead_card, lead_states

__all__ = ["Evidence", "LeadCard", "lead_card", "lead_states"]
