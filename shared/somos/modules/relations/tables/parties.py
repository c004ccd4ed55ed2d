"""Companies and people of the pipeline, and what they are to us."""

from typing import Any, ClassVar

from sqlalchemy import ARRAY, BigInteger, Index, Text
from sqlalchemy import Uuid as UuidType
from sqlalchemy.orm import Mapped, mapped_column

from somos.mesh.tables import Table, one_of
from somos.policy.scopes import Everyone

RELATIONSHIPS = ("client", "open_deal")


class Party(Table):
    """A company or a contact, under the id that the pipeline gave it, and what its own deals make of it.

    `keys` are keyed hashes of all by which it is recognised. A contact also is what its `employers` are. One that is
    gone keeps no key, only the number of the statement that said so, so that an older one does not bring it back.
    """

    __tablename__ = "parties"
    __table_args__ = (
        one_of("relationship", RELATIONSHIPS),
        Index("ix_parties_keys", "keys", postgresql_using="gin"),
        {"schema": "relations"},
    )
    __scope__ = Everyone()
    # Copied from rows that are audited where they are written.
    __audited__: ClassVar[tuple[str, ...]] = ("delete",)

    number: Mapped[int] = mapped_column(BigInteger)
    keys: Mapped[list[Any]] = mapped_column(ARRAY(Text))
    employers: Mapped[list[Any]] = mapped_column(ARRAY(UuidType(as_uuid=True)))
    relationship: Mapped[str | None]
