"""What is asked of the hunter. Other modules use `lead_card`, `lead_states` and `person_keys` only."""

from somos.modules.hunter.queries.cards import Evidence, LeadCard, lead_card, lead_states, person_keys

__all__ = ["Evidence", "LeadCard", "lead_card", "lead_states", "person_keys"]
