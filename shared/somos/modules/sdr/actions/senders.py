"""How a sender is: what the provider's answers make of it, and who is told."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from somos.mesh import Context
from somos.modules.sdr.rules.machines import SENDER_HEALTH
from somos.modules.sdr.rules.windows import day_bounds
from somos.modules.sdr.tables.senders import Sender
from somos.ports.errors import NotConfigured, OutsideError, QuotaExhausted, Throttled

SLOWED_FOR = timedelta(hours=6)
RETRY_FIRST = timedelta(minutes=1)
RETRY_MOST = timedelta(hours=1)
# A connection that was back for less belongs to the same loss.
STEADY = timedelta(minutes=10)
HELD_BY_HEALTH = ("blocked", "disconnected")


def note_error(sender: Sender, error: OutsideError, now: datetime) -> bool:
    """Learn from a provider's refusal; True when a person should be notified.

    A mere network error says nothing of the sender: it changes nothing here.
    """
    if isinstance(error, QuotaExhausted):
        _, tomorrow = day_bounds(now, sender.time_zone)
        return change_health(sender, "quota_today", error.message, tomorrow)
    if isinstance(error, NotConfigured) or error.code == "disconnected":
        return change_health(sender, "disconnected", error.message)
    if isinstance(error, Throttled):
        return change_health(sender, "slowed", error.message, now + SLOWED_FOR)
    return False


def change_health(sender: Sender, health: str, reason: str | None, until: datetime | None = None) -> bool:
    """Move to another health where the machine allows it; whether it changed."""
    if health == sender.health or not SENDER_HEALTH.allows(sender.health, health):
        return False
    sender.health, sender.health_reason, sender.health_until = health, reason, until
    return True


def announce_health(ctx: Context, sender: Sender) -> None:
    """Tell people of a new health: of a connection that comes and goes once, until it has stayed."""
    if sender.health == "ok":
        sender.back_at = ctx.now
        return
    if sender.health == "disconnected":
        stayed = sender.back_at is not None and ctx.now - sender.back_at >= STEADY
        if sender.loss_told_at is not None and not stayed:
            return
        sender.loss_told_at = ctx.now
    ctx.notify("sender.health", {"sender_id": sender.id, "health": sender.health}, role="Diretor")


def try_again_at(error: OutsideError, tries: int, now: datetime) -> datetime:
    """When a message that surely did not leave is looked at again."""
    if error.retry_after:
        return now + timedelta(seconds=error.retry_after)
    doublings = min(max(tries - 1, 0), 10)
    return now + min(RETRY_FIRST * (1 << doublings), RETRY_MOST)


def note_pulled(ctx: Context, read: Iterable[str]) -> None:
    """Remember up to when each number was read."""
    senders = select(Sender).where(Sender.channel == "whatsapp", Sender.address.in_(list(read)))
    for sender in ctx.db.scalars(senders.order_by(Sender.id).with_for_update()):
        sender.pulled_at = ctx.now
