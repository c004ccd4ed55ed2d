"""What an administrator teaches about reading sites."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, Versioned, one_of
from somos.modules.hunter.rules.extraction_rules import ACTIONS, KINDS
from somos.policy.scopes import Everyone


class ExtractionRule(Table, Versioned):
    """Addresses on sites to ignore or to prefer, as globs."""

    __tablename__ = "extraction_rules"
    __table_args__ = (
        UniqueConstraint("kind", "pattern"),
        one_of("kind", KINDS),
        one_of("action", ACTIONS),
        {"schema": "hunter"},
    )
    __scope__ = Everyone(writers="hunter.configure")

    kind: Mapped[str]
    action: Mapped[str]
    pattern: Mapped[str]
    note: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
