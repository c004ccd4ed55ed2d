"""Leads: companies that may become clients."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, validates

from somos.kernel.names import significant
from somos.kernel.text import fold
from somos.mesh.tables import Table, Versioned, listed, one_of
from somos.modules.hunter.rules.facts import ORIGINS
from somos.modules.hunter.rules.leads import LEAD, RELATIONSHIPS, UNSETTLED
from somos.policy.scopes import Everyone


class Lead(Table, Versioned):
    """A company that may become a client. Columns hold the value that wins; `lead_sources` holds them all."""

    __tablename__ = "leads"
    __table_args__ = (
        one_of("state", LEAD.states),
        one_of("source", ORIGINS),
        one_of("relationship", RELATIONSHIPS),
        CheckConstraint("score between 0 and 100", name="score"),
        CheckConstraint("(state = 'duplicate') <= (duplicate_of is not null)", name="survivor"),
        CheckConstraint("(state = 'converted') <= (deal_id is not null)", name="deal"),
        # Erased means erased: nothing that says who it was.
        CheckConstraint(
            "state <> 'erased' or coalesce(company_name, legal_name, cnpj, domain, phone, email, contact_name, "
            "contact_role, address, instagram, linkedin, facebook) is null",
            name="erased",
        ),
        UniqueConstraint("deal_id"),
        Index("ix_leads_state", "state", "id"),
        Index("ix_leads_score", "score", "id"),
        *listed("icp_id", "icp_number", "owner_id", "source", "uf", "relationship", "company_name", "updated_at"),
        Index("ix_leads_session_id", "session_id", "state"),
        Index("ix_leads_unsettled", "icp_id", postgresql_where=text(f"state in {UNSETTLED}")),
        Index("ix_leads_retain_until", "retain_until", postgresql_where=text("state <> 'erased'")),
        Index("ix_leads_name_words", "name_words", postgresql_using="gin"),
        {"schema": "hunter"},
    )
    __scope__ = Everyone()
    __redact__: ClassVar[frozenset[str]] = frozenset(
        {"contact_name", "contact_role", "phone", "email", "name_words", "reason"}
    )

    __searched__ = ("company_name", "domain", "city_key", "name_words")

    state: Mapped[str] = mapped_column(default="discovered")
    company_name: Mapped[str | None]
    name_words: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    legal_name: Mapped[str | None]
    cnpj: Mapped[str | None] = mapped_column(String(14), index=True)
    domain: Mapped[str | None] = mapped_column(index=True)
    phone: Mapped[str | None]
    email: Mapped[str | None]
    contact_name: Mapped[str | None]
    contact_role: Mapped[str | None]
    city: Mapped[str | None]
    city_key: Mapped[str | None] = mapped_column(index=True)
    uf: Mapped[str | None] = mapped_column(String(2))
    address: Mapped[str | None]
    segment: Mapped[str | None]
    cnae: Mapped[str | None]
    size: Mapped[str | None]
    employees: Mapped[int | None]
    registry_status: Mapped[str | None]
    instagram: Mapped[str | None]
    linkedin: Mapped[str | None]
    facebook: Mapped[str | None]

    source: Mapped[str]
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("hunter.search_sessions.id"))
    icp_id: Mapped[UUID]
    icp_number: Mapped[int]
    owner_id: Mapped[UUID | None]
    # The search was paused when this lead's step came; resuming states it again.
    held: Mapped[bool] = mapped_column(default=False)

    score: Mapped[int | None]
    reason: Mapped[str | None]
    refusal: Mapped[str | None]
    # What never answered while this lead was looked at (`site`, `registry`, `model`): its score lacks what they say.
    unreached: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    duplicate_of: Mapped[UUID | None] = mapped_column(ForeignKey("hunter.leads.id"))
    relationship: Mapped[str | None]
    last_contact_at: Mapped[datetime | None]
    later_until: Mapped[date | None]
    deal_id: Mapped[UUID | None]

    # LGPD: on what ground, from where, since when and until when this is kept.
    legal_basis: Mapped[str]
    collected_at: Mapped[datetime]
    retain_until: Mapped[date]
    erased_at: Mapped[datetime | None]
    erased_why: Mapped[str | None]

    @validates("company_name")
    def _words(self, _: str, name: str | None) -> str | None:
        self.name_words = sorted(set(significant(name))) if name else []
        return name

    @validates("city")
    def _city_key(self, _: str, city: str | None) -> str | None:
        self.city_key = fold(city) if city else None
        return city
