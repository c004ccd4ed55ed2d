"""Companies, as they are sent and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, exists, select

from somos.kernel.text import fold
from somos.mesh import Body, Filter, View, untouched
from somos.mesh.searching import holds
from somos.modules.crm.schemas import Document, Domain, Email, Long, Phone, Short, Uf
from somos.modules.crm.tables import Company, Tagging


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
        found = [*super().clauses(), Company.merged_into_id.is_(None)]
        found += [holds(Company.name_key, word) for word in fold(self.q or "").split()]
        if self.tag_id is not None:
            found.append(exists(select(1).where(Tagging.company_id == Company.id, Tagging.tag_id == self.tag_id)))
        return found

    def sought(self) -> list[list[str]]:
        return [words] if (words := fold(self.q or "").split()) else []


class CompanyDraft(Body):
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
    owner_id: UUID | None = Field(None, description="Outro responsável: só a direção escolhe")


class CompanyPatch(Body):
    name: Short = untouched()
    legal_name: Short | None = None
    document: Document | None = None
    domain: Domain | None = None
    phone: Phone | None = None
    email: Email | None = None
    city: Short | None = None
    uf: Uf | None = None
    segment: Short | None = None
    notes: Long | None = None
    owner_id: UUID | None = Field(None, description="Só a direção troca o responsável")


class CompanyView(View):
    id: UUID
    name: str
    legal_name: str | None
    document: str | None
    domain: str | None
    phone: str | None
    email: str | None
    city: str | None
    uf: str | None
    segment: str | None
    notes: str | None
    owner_id: UUID | None
    merged_into_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
