"""Contacts: the people we talk to."""

from uuid import UUID

from sqlalchemy import exists, select

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Page, http
from somos.modules.crm.actions import parties
from somos.modules.crm.actions.owners import check_owner, owner_of
from somos.modules.crm.schemas.contacts import ContactCriteria, ContactDraft, ContactPatch, ContactView
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deals import Deal


@http.get("/api/v1/contacts", allow="crm:read")
def contacts_list(filter: ContactCriteria, ctx: Context) -> Page[ContactView]:
    return ctx.page(ctx.chosen(filter), ContactView)


@http.get("/api/v1/contacts/{id}", allow="crm:read")
def contacts_get(id: UUID, ctx: Context) -> ContactView:
    """Also one that was merged: `merged_into_id` says where it went."""
    return ctx.show(ctx.get(Contact, id), ContactView)


@http.post("/api/v1/contacts", allow="crm:write")
def contacts_create(draft: ContactDraft, ctx: Context) -> ContactView:
    contact = ctx.create(Contact, draft, owner_id=owner_of(ctx, draft))
    parties.restate(ctx, contact.id)
    return ctx.show(contact, ContactView)


@http.patch("/api/v1/contacts/{id}", allow="crm:write")
def contacts_patch(id: UUID, patch: ContactPatch, ctx: Context) -> ContactView:
    contact = ctx.get(Contact, id, lock=True)
    if contact.merged_into_id is not None:
        raise NotAllowed("Este contato foi juntado a outro", code="merged")
    check_owner(ctx, patch, contact.owner_id)
    ctx.change(contact, patch)
    parties.restate(ctx, id)
    return ctx.show(contact, ContactView)


@http.delete("/api/v1/contacts/{id}", allow="crm:write")
def contacts_delete(id: UUID, ctx: Context) -> None:
    contact = ctx.get(Contact, id, lock=True)
    with ctx.as_system() as db:  # deals of others count too
        in_use = db.scalar(select(exists().where(Deal.contact_id == id)))
    if in_use:
        raise NotAllowed("O contato está em negócios; junte-o a outro em vez de apagar", code="contact-in-use")
    ctx.db.delete(contact)
    parties.restate(ctx, id, contact.merged_into_id)
