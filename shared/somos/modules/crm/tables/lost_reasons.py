"""Why deals are lost."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned
from somos.policy.scopes import Everyone


class LostReason(Table, Versioned):
    """Why deals are lost, in the words the house counts them by."""

    __tablename__ = "lost_reasons"
    __table_args__ = (UniqueConstraint("name"), {"schema": "crm"})
    __scope__ = Everyone(writers="crm.configure")

    name: Mapped[str]
    position: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
