"""Contacts, as they are sent and shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from somos.kernel.text import fold
from somos.mesh import Body, Filter, Model, Patch, Record
from somos.mesh.text_search import holds
from somos.modules.crm.schemas.company_contacts import ContactRole
from somos.modules.crm.schemas.fields import Email, Long, Owner, Phone, Short
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.taggings import Tagging


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
        conditions = [*super().clauses(), Contact.merged_into_id.is_(None)]
        if self.q:
            words = [holds(Contact.name_key, word) for word in fold(self.q).split()]
            conditions.append(or_(and_(true(), *words), Contact.email == self.q.strip().lower()))
        if self.company_id is not None or self.role is not None:
            link = [CompanyContact.contact_id == Contact.id]
            link += [CompanyContact.company_id == self.company_id] if self.company_id else []
            link += [CompanyContact.role == self.role] if self.role else []
            conditions.append(exists(select(1).where(*link)))
        if self.tag_id is not None:
            conditions.append(exists(select(1).where(Tagging.contact_id == Contact.id, Tagging.tag_id == self.tag_id)))
        return conditions

    def sought(self) -> list[list[str]]:
        return [fold(self.q).split(), [self.q.strip()]] if self.q else []


class ContactFields(Model):
    name: Short
    title: Short | None = None
    email: Email | None = None
    phone: Phone | None = None
    notes: Long | None = None
    owner_id: Owner = None


class ContactDraft(ContactFields, Body):
    pass


class ContactPatch(ContactFields, Patch):
    pass


class ContactView(ContactFields, Record):
    merged_into_id: UUID | None
    created_at: datetime
    updated_at: datetime
