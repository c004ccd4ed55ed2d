"""Contacts: the people we talk to."""

from uuid import UUID

from sqlalchemy import exists, select

from somos.mesh import Conflict, Context, Page, http
from somos.modules.crm.actions.owners import check_owner, owner_of_new
from somos.modules.crm.schemas.contacts import ContactCriteria, ContactDraft, ContactPatch, ContactView
from somos.modules.crm.tables import Contact, Deal


@http.get("/api/v1/contacts", allow="crm:read")
def contacts_list(filter: ContactCriteria, ctx: Context) -> Page[ContactView]:
    return ctx.page(ctx.chosen(filter), ContactView)


@http.get("/api/v1/contacts/{id}", allow="crm:read")
def contacts_get(id: UUID, ctx: Context) -> ContactView:
    """Also one that was merged: `merged_into_id` says where it went."""
    return ContactView.model_validate(ctx.get(Contact, id))


@http.post("/api/v1/contacts", allow="crm:write")
def contacts_create(draft: ContactDraft, ctx: Context) -> ContactView:
    owner_id = owner_of_new(ctx.db, ctx.principal, draft.model_dump(exclude_unset=True))
    contact = Contact(**{**draft.model_dump(), "owner_id": owner_id})
    ctx.db.add(contact)
    ctx.db.flush()
    return ContactView.model_validate(contact)


@http.patch("/api/v1/contacts/{id}", allow="crm:write")
def contacts_patch(id: UUID, patch: ContactPatch, ctx: Context) -> ContactView:
    contact = ctx.get(Contact, id, lock=True)
    if contact.merged_into_id is not None:
        raise Conflict("Este contato foi juntado a outro", code="merged")
    changes = patch.model_dump(exclude_unset=True)
    check_owner(ctx.db, ctx.principal, changes, contact.owner_id)
    for name, value in changes.items():
        setattr(contact, name, value)
    ctx.db.flush()
    return ContactView.model_validate(contact)


@http.delete("/api/v1/contacts/{id}", allow="crm:write")
def contacts_delete(id: UUID, ctx: Context) -> None:
    contact = ctx.get(Contact, id, lock=True)
    with ctx.as_system() as db:  # deals of others count too
        in_use = db.scalar(select(exists().where(Deal.contact_id == id)))
    if in_use:
        raise Conflict("O contato está em negócios; junte-o a outro em vez de apagar", code="contact-in-use")
    ctx.db.delete(contact)
