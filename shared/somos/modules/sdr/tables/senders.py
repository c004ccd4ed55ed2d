"""Who sends: an account of a channel with its window, caps and health; and the switches that stop all."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.modules.sdr.rules.machines import SENDER_HEALTH
from somos.policy.scopes import Everyone

CHANNELS = ("whatsapp", "email", "linkedin")


class Sender(Versioned, Table):
    """One WhatsApp instance, e-mail address or LinkedIn profile that messages leave from."""

    __tablename__ = "senders"
    __table_args__ = (
        UniqueConstraint("channel", "address"),
        one_of("channel", CHANNELS),
        one_of("health", SENDER_HEALTH),
        {"schema": "sdr"},
    )
    # What an agent may not do to approvals it may not do to senders either: a sender out of sandbox sends.
    __scope__ = Everyone(writers="outreach.approve")

    channel: Mapped[str]
    name: Mapped[str]
    person_name: Mapped[str]
    address: Mapped[str]  # Evolution's instance, the From of an e-mail, the profile's URL
    active: Mapped[bool] = mapped_column(default=True)
    sandbox: Mapped[bool] = mapped_column(default=False)
    time_zone: Mapped[str] = mapped_column(default="America/Sao_Paulo")
    uf: Mapped[str | None] = mapped_column(default="SP")
    opens: Mapped[str] = mapped_column(default="08:00")
    closes: Mapped[str] = mapped_column(default="20:00")
    weekdays: Mapped[list[Any]] = mapped_column(default=lambda: [0, 1, 2, 3, 4])
    skip_holidays: Mapped[bool] = mapped_column(default=True)
    daily_cap: Mapped[int] = mapped_column(default=40)
    ramp_start: Mapped[int] = mapped_column(default=10)
    ramp_step: Mapped[int] = mapped_column(default=5)
    ramp_since: Mapped[date | None]
    health: Mapped[str] = mapped_column(default="ok")
    health_reason: Mapped[str | None]
    health_until: Mapped[datetime | None]
    # When people were told that the connection is lost, and when it last came back.
    loss_told_at: Mapped[datetime | None]
    back_at: Mapped[datetime | None]
    pulled_at: Mapped[datetime | None]


class KillSwitch(Table):
    """While on, nothing of its scope leaves: everything, one channel, or one agent."""

    __tablename__ = "kill_switches"
    __table_args__ = (
        Index("uq_kill_switches_on", "scope", unique=True, postgresql_where=text("off_at is null")),
        {"schema": "sdr"},
    )
    __scope__ = Everyone(writers="agent.stop")

    scope: Mapped[str]  # "all", "channel:whatsapp", "agent:sdr"
    reason: Mapped[str]
    on_by: Mapped[UUID]
    off_by: Mapped[UUID | None]
    off_at: Mapped[datetime | None]
