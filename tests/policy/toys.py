"""Toy tables with every kind of scope, in schemas that the matrix knows."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from somos.mesh.ids import uuid7
from somos.policy.scopes import Client, Everyone, Own, Via


class Toys(DeclarativeBase):
    metadata = MetaData()
    type_annotation_map: ClassVar = {UUID: Uuid()}


class Toy(Toys):
    __abstract__ = True
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    name: Mapped[str] = mapped_column(default="")
    cents: Mapped[int] = mapped_column(default=0)


class Deal(Toy):
    __tablename__ = "deals"
    __table_args__ = ({"schema": "crm"},)
    __scope__ = Own("owner_id")
    owner_id: Mapped[UUID | None]


class Note(Toy):
    __tablename__ = "notes"
    __table_args__ = ({"schema": "crm"},)
    __scope__ = Via(Deal, "deal_id")
    deal_id: Mapped[UUID | None] = mapped_column(ForeignKey(Deal.id))


class Line(Toy):
    """A grandchild: the way to its owner has two steps."""

    __tablename__ = "lines"
    __table_args__ = ({"schema": "crm"},)
    __scope__ = Via(Note, "note_id")
    note_id: Mapped[UUID | None] = mapped_column(ForeignKey(Note.id))


class Stage(Toy):
    __tablename__ = "stages"
    __table_args__ = ({"schema": "crm"},)
    __scope__ = Everyone(writers="crm.configure")


class SavedView(Toy):
    __tablename__ = "saved_views"
    __table_args__ = ({"schema": "crm"},)
    __scope__ = Own("owner_id", private=True, shared="shared")
    owner_id: Mapped[UUID | None]
    shared: Mapped[bool] = mapped_column(default=False)


class Message(Toy):
    __tablename__ = "messages"
    __table_args__ = ({"schema": "sdr"},)
    __scope__ = Own("owner_id", also=("conversation.reply",))
    owner_id: Mapped[UUID | None]


class Approval(Toy):
    __tablename__ = "approvals"
    __table_args__ = ({"schema": "sdr"},)
    __scope__ = Everyone(writers="outreach.approve")


class Invoice(Toy):
    __tablename__ = "invoices"
    __table_args__ = ({"schema": "finance"},)
    __scope__ = Client("company_id")
    company_id: Mapped[UUID | None]


class Piece(Toy):
    __tablename__ = "pieces"
    __table_args__ = ({"schema": "content"},)
    __scope__ = Own("owner_id") | Client("company_id", also=("content.approve",))
    owner_id: Mapped[UUID | None]
    company_id: Mapped[UUID | None]


class Template(Toy):
    """The house's own, in a module that clients read."""

    __tablename__ = "templates"
    __table_args__ = ({"schema": "content"},)
    __scope__ = Everyone()


class Key(Toy):
    __tablename__ = "keys"
    __table_args__ = ({"schema": "auth"},)
    __scope__ = Everyone(readers="api_key.manage", writers="api_key.manage")


ALL = (Deal, Note, Line, Stage, SavedView, Message, Approval, Invoice, Piece, Template, Key)
