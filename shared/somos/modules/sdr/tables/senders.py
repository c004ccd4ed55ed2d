"""Who sends: an account of a channel with its window, caps and health."""

from datetime import date, datetime
from typing import Any, get_args

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.modules.sdr.rules.machines import (
    SENDER_HEALTH,
)
from somos.modules.sdr.rules.words import Channel
from somos.policy.scopes import Everyone


class Sender(Versioned, Table):
    """One WhatsApp instance, e-mail address or LinkedIn profile that messages leave from."""

    __tablename__ = "senders"
    __table_args__ = (
        UniqueConstraint("channel", "address"),
        one_of("channel", get_args(Channel)),
        one_of("health", SENDER_HEALTH.states),
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
