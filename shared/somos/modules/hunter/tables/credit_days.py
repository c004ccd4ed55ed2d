"""The paid look-ups of a day."""

from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table
from somos.policy.scopes import Everyone


class CreditDay(Table):
    """Paid look-ups reserved or spent on one day, by all sessions; locked while somebody reserves."""

    __tablename__ = "credit_days"
    __table_args__ = (UniqueConstraint("day"), CheckConstraint("credits >= 0", name="credits"), {"schema": "hunter"})
    __scope__ = Everyone()

    day: Mapped[date]
    credits: Mapped[int] = mapped_column(default=0)
