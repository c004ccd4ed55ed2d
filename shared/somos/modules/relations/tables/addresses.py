"""Phones and e-mail addresses of people, by keyed hash alone."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table
from somos.policy.scopes import Everyone


class Address(Table):
    """Whether the person behind this address asked to be left alone, and when something last left to them."""

    __tablename__ = "addresses"
    __table_args__ = ({"schema": "relations"},)
    __scope__ = Everyone()
    # Copied from rows that are audited where they are written.
    __audited__: ClassVar[tuple[str, ...]] = ("delete",)

    key: Mapped[str] = mapped_column(unique=True)
    suppressed: Mapped[bool] = mapped_column(default=False)
    last_contact_at: Mapped[datetime | None]
