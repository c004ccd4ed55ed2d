"""Leads that were handed to the pipeline."""

from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from somos.mesh.tables import Table
from somos.policy.scopes import Everyone


class AcceptedLead(Table):
    """This lead was handed to the pipeline: the row that makes it happen once."""

    __tablename__ = "accepted_leads"
    __table_args__ = (UniqueConstraint("lead_id"), {"schema": "sdr"})
    __scope__ = Everyone()

    lead_id: Mapped[UUID]
    response_id: Mapped[UUID]
    owner_id: Mapped[UUID]
