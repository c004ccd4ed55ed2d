"""The switches that stop all."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped

from somos.mesh.tables import Table
from somos.policy.scopes import Everyone


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
