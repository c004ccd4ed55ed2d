"""Companies, as they are sent and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, exists, select

from somos.kernel.text import fold
from somos.mesh import Body, Filter, Model, Patch, Record
from somos.mesh.text_search import holds
from somos.modules.crm.schemas.fields import Document, Domain, Email, Long, Owner, Phone, Short, Uf
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.taggings import Tagging


class CompanyCriteria(Filter):
    """What companies can be chosen by. Those merged into another are left out."""

    table = Company
    sort: Literal["-id", "id", "name_key", "-name_key"] = "-id"

    owner_id: UUID | None = None
    document: str | None = Field(None, max_length=14)
    domain: str | None = Field(None, max_length=253)
    city: str | None = Field(None, max_length=120)
    uf: str | None = Field(None, max_length=2)
    segment: str | None = Field(None, max_length=120)
    q: str | None = Field(None, max_length=100, description="Palavras do nome")
    tag_id: UUID | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        conditions = [*super().clauses(), Company.merged_into_id.is_(None)]
        conditions += [holds(Company.name_key, word) for word in fold(self.q or "").split()]
        if self.tag_id is not None:
            conditions.append(exists(select(1).where(Tagging.company_id == Company.id, Tagging.tag_id == self.tag_id)))
        return conditions

    def sought(self) -> list[list[str]]:
        return [words] if (words := fold(self.q or "").split()) else []


class CompanyFields(Model):
    name: Short
    legal_name: Short | None = None
    document: Document | None = None
    domain: Domain | None = None
    phone: Phone | None = None
    email: Email | None = None
    city: Short | None = None
    uf: Uf | None = None
    segment: Short | None = None
    notes: Long | None = None
    owner_id: Owner = None


class CompanyDraft(CompanyFields, Body):
    pass


class CompanyPatch(CompanyFields, Patch):
    pass


class CompanyView(CompanyFields, Record):
    merged_into_id: UUID | None
    created_at: datetime
    updated_at: datetime
