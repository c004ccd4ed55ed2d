"""Companies and contacts, their twins and their merging."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from somos.kernel.text import fold
from somos.mesh import Body, Filter, View, untouched
from somos.mesh.searching import holds
from somos.modules.crm.rules.merges import Side
from somos.modules.crm.schemas import Document, Domain, Email, Long, Phone, Short, Uf
from somos.modules.crm.tables import Company, CompanyContact, Contact, Merge, Tagging

ContactRole = Literal["decide", "paga", "juridico", "producao", "contato"]


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


class ContactCriteria(Filter):
    """What contacts can be chosen by. Those merged into another are left out."""

    table = Contact
    sort: Literal["-id", "id", "name_key", "-name_key"] = "-id"

    owner_id: UUID | None = None
    company_id: UUID | None = None
    role: ContactRole | None = Field(None, description="Papel em alguma empresa")
    q: str | None = Field(None, max_length=100, description="Palavras do nome, ou o e-mail")
    tag_id: UUID | None = None

    def clauses(self) -> list[ColumnElement[bool]]:
        found = [*super().clauses(), Contact.merged_into_id.is_(None)]
        if self.q:
            words = [holds(Contact.name_key, word) for word in fold(self.q).split()]
            found.append(or_(and_(true(), *words), Contact.email == self.q.strip().lower()))
        if self.company_id is not None or self.role is not None:
            link = [CompanyContact.contact_id == Contact.id]
            link += [CompanyContact.company_id == self.company_id] if self.company_id else []
            link += [CompanyContact.role == self.role] if self.role else []
            found.append(exists(select(1).where(*link)))
        if self.tag_id is not None:
            found.append(exists(select(1).where(Tagging.contact_id == Contact.id, Tagging.tag_id == self.tag_id)))
        return found

    def sought(self) -> list[list[str]]:
        return [fold(self.q).split(), [self.q.strip()]] if self.q else []


class ContactDraft(Body):
    name: Short
    title: Short | None = None
    email: Email | None = None
    phone: Phone | None = None
    notes: Long | None = None
    owner_id: UUID | None = Field(None, description="Outro responsável: só a direção escolhe")


class ContactPatch(Body):
    name: Short = untouched()
    title: Short | None = None
    email: Email | None = None
    phone: Phone | None = None
    notes: Long | None = None
    owner_id: UUID | None = Field(None, description="Só a direção troca o responsável")


class ContactView(View):
    id: UUID
    name: str
    title: str | None
    email: str | None
    phone: str | None
    notes: str | None
    owner_id: UUID | None
    merged_into_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class CompanyContactFilter(Filter):
    table = CompanyContact
    sort: Literal["-id", "id"] = "-id"
    company_id: UUID | None = None
    contact_id: UUID | None = None
    role: ContactRole | None = None


class CompanyContactDraft(Body):
    company_id: UUID
    contact_id: UUID
    role: ContactRole


class CompanyContactView(View):
    id: UUID
    company_id: UUID
    contact_id: UUID
    role: ContactRole


class DuplicateQuestion(Body):
    """What was typed so far; half an address is no key and is simply not compared."""

    kind: Literal["company", "contact"]
    name: str = Field("", max_length=200)
    document: str | None = Field(None, max_length=40)
    domain: str | None = Field(None, max_length=300)
    phone: str | None = Field(None, max_length=40)
    email: str | None = Field(None, max_length=254)
    city: str | None = Field(None, max_length=120)
    ignore_id: UUID | None = Field(None, description="O próprio registro, ao editar")


class Twin(View):
    id: UUID
    name: str
    kind: Literal["exact", "similar"]
    fields: list[str]
    score: int


class DuplicateAnswer(View):
    """`elsewhere`: somebody else's portfolio holds this very CNPJ or CPF; no more is told."""

    twins: list[Twin]
    elsewhere: bool = False


class MergeDraft(Body):
    kind: Literal["company", "contact"]
    survivor_id: UUID
    absorbed_id: UUID
    choices: dict[str, Side] = Field(
        default_factory=dict,
        description="Campo a campo: de quem fica o valor. Sem escolha, fica o preenchido",
    )


class MergeFilter(Filter):
    table = Merge
    sort: Literal["-id", "id"] = "-id"
    kind: Literal["company", "contact"] | None = None
    survivor_id: UUID | None = None


class MergeView(View):
    id: UUID
    kind: str
    survivor_id: UUID
    absorbed_id: UUID
    merged_by: UUID
    choices: dict[str, Any]
    moved: dict[str, Any]
    created_at: datetime
