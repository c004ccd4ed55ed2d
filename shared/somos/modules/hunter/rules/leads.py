"""State machine of a lead (flows 1.2): what is not listed is refused."""

from datetime import date, timedelta
from typing import Final

from somos.kernel.states import Machine
from somos.modules.hunter.rules.limits import LATER_DAYS, LATER_MOST_DAYS

# `blocked` leads nowhere but to erasure, which keeps the hash; `erased` leads nowhere.
# A person may call a lead the twin of another until somebody wrote to it.
LEAD: Final = Machine(
    "Um lead",
    {
        "discovered": "enriching duplicate rejected_campaign blocked erased",
        "enriching": "scored duplicate rejected_campaign blocked erased",
        "scored": "duplicate qualified rejected_campaign blocked erased",
        "duplicate": "blocked erased",
        "qualified": "duplicate rejected_campaign in_cadence blocked erased",
        "rejected_campaign": "duplicate qualified blocked erased",
        "in_cadence": "replied blocked erased",
        "replied": "accepted not_interested later blocked erased",
        "accepted": "converted not_interested blocked erased",
        "not_interested": "replied blocked erased",
        "later": "qualified replied blocked erased",
        "converted": "blocked erased",
        "blocked": "erased",
        "erased": "",
    },
    {
        "discovered": "descoberto",
        "enriching": "em enriquecimento",
        "scored": "pontuado",
        "duplicate": "duplicado",
        "qualified": "qualificado",
        "rejected_campaign": "recusado nesta campanha",
        "in_cadence": "em cadência",
        "replied": "respondeu",
        "accepted": "aceito",
        "not_interested": "sem interesse",
        "later": "para depois",
        "converted": "convertido",
        "blocked": "bloqueado",
        "erased": "apagado",
    },
    code="lead-state",
)
RELATIONSHIPS: Final = ("client", "open_deal")
DECISIONS: Final = ("accepted", "rejected", "never_contact")
# What may not have answered while a lead was looked at, and how people call it.
SOURCE_NAMES: Final = {
    "site": "o site da empresa",
    "registry": "o cadastro da Receita",
    "model": "o modelo de linguagem",
}
CLOSED: Final = ("duplicate", "blocked", "erased")  # no way leads through one of these
UNSETTLED: Final = ("discovered", "enriching")  # a search still works on these
NEVER_CONTACTED: Final = (*UNSETTLED, "scored", "duplicate", "qualified", "rejected_campaign")
TWINS: Final = ("discovered", "enriching", "scored", "qualified", "rejected_campaign")
# Refused for this campaign or for ever, or not a lead of its own: in no export and no send.
NEVER_EXPORTED: Final = ("rejected_campaign", "blocked", "erased", "duplicate")

# What an answer makes of a lead that was written to; automatic answers and bounces change nothing.
_AFTER_REPLY: Final = {
    "interested": "replied",  # accepted once the conversation is handed over
    "question": "replied",
    "unclear": "replied",
    "wrong_person": "not_interested",
    "no": "not_interested",
    "later": "later",
    "optout": "blocked",
}

_DECIDED: Final = frozenset({"accepted", "converted", *CLOSED})


def after_reply(state: str, label: str) -> list[str]:
    """The states a lead passes through when somebody answers; none when the answer changes nothing."""
    goal = _AFTER_REPLY.get(label, state)
    if goal == "blocked" or (state, goal) == ("accepted", "not_interested"):
        return [goal] if LEAD.allows(state, goal) else []
    return [] if state in _DECIDED else _path(state, goal)


def wakes_on(named: date | None, today: date) -> date:
    """The day a lead that said "later" comes back: the one that was named, when it can be meant."""
    if named is not None and today < named <= today + timedelta(days=LATER_MOST_DAYS):
        return named
    return today + timedelta(days=LATER_DAYS)


def after_acceptance(state: str) -> list[str]:
    """The states up to accepted."""
    return [] if state in _DECIDED else _path(state, "accepted")


def after_deal(state: str) -> list[str]:
    """The states up to converted; facts may arrive in any order, the deal is what counts."""
    return ["converted"] if state == "accepted" else [] if state in _DECIDED else _path(state, "converted")


def after_sending(state: str) -> list[str]:
    """A message left: a lead that was only qualified is now in cadence."""
    return _path(state, "in_cadence") if state in ("qualified", "later") else []


def _path(state: str, goal: str) -> list[str]:
    return LEAD.path(state, goal, avoiding=CLOSED)
