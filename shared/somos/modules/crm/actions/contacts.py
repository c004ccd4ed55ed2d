"""Contacts that accepted leads bring."""

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.mesh.ids import uuid7
from somos.modules.crm.actions.companies import name_of
from somos.modules.crm.queries.contacts import find_contact
from somos.modules.crm.tables import Contact

if TYPE_CHECKING:
    from somos.modules.hunter.queries.leads import LeadCard


def contact_of(db: Session, lead: "LeadCard", owner_id: UUID) -> Contact:
    """The lead's person, new when none has its e-mail or phone."""
    contact = find_contact(db, PersonKeys(phone=lead.phone, email=lead.email))
    if contact is not None:
        return contact
    contact = Contact(
        id=uuid7(),
        name=lead.contact_name or name_of(lead),
        title=lead.contact_role,
        email=lead.email,
        phone=lead.phone,
        owner_id=owner_id,
    )
    db.add(contact)
    db.flush()
    return contact
