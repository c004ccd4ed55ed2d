"""State machines of outreach (flows 1.3, 1.4, 2.3): what is not listed is refused."""

from collections.abc import Mapping


class NotAllowed(Exception):
    """The machine has no such transition; nothing changes."""


Moves = Mapping[str, frozenset[str]]


def _machine(**moves: str) -> Moves:
    return {state: frozenset(targets.split()) for state, targets in moves.items()}


# `sending` leaves in four ways: it left (sent), nobody knows (unknown), it cannot leave (failed_permanent,
# cancelled by a guard just before the call), or it surely did not leave and may be tried later (queued).
MESSAGE = _machine(
    drafted="awaiting_approval cancelled",
    awaiting_approval="approved drafted rejected cancelled",
    approved="queued sending drafted cancelled",
    queued="sending drafted cancelled",
    sending="sent unknown queued cancelled failed_permanent",
    unknown="sent not_sent",
    not_sent="queued cancelled",
    sent="delivered read failed_permanent",
    delivered="read failed_permanent",
    read="",
    rejected="",
    cancelled="",
    failed_permanent="",
)
ENROLMENT = _machine(
    pending_approval="active expired stopped_reply stopped_optout stopped_bounce stopped_manual stopped_deal",
    active="waiting paused finished stopped_reply stopped_optout stopped_bounce stopped_manual stopped_deal",
    waiting="active paused finished stopped_reply stopped_optout stopped_bounce stopped_manual stopped_deal",
    paused="waiting stopped_reply stopped_optout stopped_bounce stopped_manual stopped_deal",
    finished="",
    expired="",
    stopped_reply="",
    stopped_optout="",
    stopped_bounce="",
    stopped_manual="",
    stopped_deal="",
)
APPROVAL = _machine(
    pending="approved rejected changes_requested expired withdrawn stale",
    approved="",
    rejected="",
    changes_requested="",
    expired="",
    withdrawn="",
    stale="",
)
SENDER_HEALTH = _machine(
    ok="slowed quota_today blocked disconnected",
    slowed="ok quota_today blocked disconnected",
    quota_today="ok blocked disconnected",
    blocked="ok",
    disconnected="ok blocked",
)
CAMPAIGN = _machine(running="paused", paused="running")
LIVE_ENROLMENTS = ("pending_approval", "active", "waiting", "paused")
# Nothing has left yet, so a reply or an opt-out still cancels these.
CANCELLABLE = ("drafted", "awaiting_approval", "approved", "queued", "not_sent")
# The message is with the person, or may be.
LEFT = ("sending", "unknown", "sent", "delivered", "read")
NEEDS_APPROVAL = ("approved", "queued", "sending", "unknown", "not_sent", "sent", "delivered", "read")


def move(machine: Moves, state: str, to: str) -> str:
    """The new state. Raises NotAllowed when the machine has no such transition."""
    if to not in machine[state]:
        raise NotAllowed(f"{state} -> {to}")
    return to


_RECEIPTS = {"sent": 1, "delivered": 2, "read": 3}


def after_receipt(state: str, receipt: str) -> str:
    """The state after the provider's receipt: it may skip and repeat, and never goes back.

    `failed` ends a message that was sent or delivered, never one that was read.
    """
    if receipt == "failed":
        return "failed_permanent" if "failed_permanent" in MESSAGE[state] else state
    if state not in _RECEIPTS or receipt not in _RECEIPTS:
        return state
    return max(state, receipt, key=_RECEIPTS.__getitem__)
