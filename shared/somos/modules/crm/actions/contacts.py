"""Contacts that accepted leads bring."""

from typing import TYPE_CHECKING
from uuid import UUID

from somos.kernel.keys import PersonKeys
from somos.mesh import Context
from somos.modules.crm.actions.companies import name_of
from somos.modules.crm.queries.contacts import find_contact
from somos.modules.crm.tables.contacts import Contact

if TYPE_CHECKING:
    from somos.modules.hunter.queries.leads import LeadCard


def contact_of(ctx: Context, lead: "LeadCard", owner_id: UUID) -> Contact:
    """The lead's person, new when none has its e-mail or phone."""
    return find_contact(ctx.db, PersonKeys(phone=lead.phone, email=lead.email)) or ctx.create(
        Contact,
        name=lead.contact_name or name_of(lead),
        title=lead.contact_role,
        email=lead.email,
        phone=lead.phone,
        owner_id=owner_id,
    )
