"""Who is who in a company, as it is sent and shown."""

from typing import Annotated, Literal
from uuid import UUID

from somos.mesh import Body, Filter, Model, OneOf, View
from somos.modules.crm.tables.company_contacts import ROLES, CompanyContact

ContactRole = Annotated[str, OneOf(ROLES)]


class CompanyContactFilter(Filter):
    table = CompanyContact
    sort: Literal["-id", "id"] = "-id"
    company_id: UUID | None = None
    contact_id: UUID | None = None
    role: ContactRole | None = None


class CompanyContactFields(Model):
    company_id: UUID
    contact_id: UUID
    role: ContactRole


class CompanyContactDraft(CompanyContactFields, Body):
    pass


class CompanyContactView(CompanyContactFields, View):
    id: UUID
