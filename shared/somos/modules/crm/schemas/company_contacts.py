"""Who is who in a company, as it is sent and shown."""

from typing import Literal
from uuid import UUID

from somos.mesh import Body, Filter, View
from somos.modules.crm.tables import CompanyContact

ContactRole = Literal["decide", "paga", "juridico", "producao", "contato"]


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
