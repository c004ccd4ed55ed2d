"""What people decide of a lead. Two refusals are kept apart: not for this campaign, and never again."""

from uuid import UUID

from somos.events.hunter import LeadErased, LeadSettled
from somos.mesh import Conflict, Context, http
from somos.modules.hunter.actions import leads
from somos.modules.hunter.queries.lead_details import detail
from somos.modules.hunter.rules.leads import UNSETTLED, NotAllowed
from somos.modules.hunter.schemas.leads import Acceptance, Decision, LeadDetail
from somos.modules.hunter.tables.leads import Lead


@http.post("/api/v1/leads/{id}/accept", allow="lead.decide", status=200)
def lead_decisions_accept(id: UUID, choice: Acceptance, ctx: Context) -> LeadDetail:
    """The lead is good; one that was refused needs the reason why it fits after all."""
    lead = ctx.get(Lead, id, lock=True)
    try:
        leads.accept(ctx.db, lead, choice.reason, ctx.principal.id, ctx.now)
    except NotAllowed as refused:
        raise Conflict(str(refused), code="lead-state") from None
    return detail(ctx.db, lead)


@http.post("/api/v1/leads/{id}/reject", allow="lead.decide", status=200)
def lead_decisions_reject(id: UUID, choice: Decision, ctx: Context) -> LeadDetail:
    """Not for this campaign."""
    lead = ctx.get(Lead, id, lock=True)
    unfinished = lead.state in UNSETTLED
    try:
        leads.reject(ctx.db, lead, choice.reason, ctx.principal.id)
    except NotAllowed as refused:
        raise Conflict(str(refused), code="lead-state") from None
    if unfinished:
        ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id, outcome="rejected"))
    return detail(ctx.db, lead)


@http.post("/api/v1/leads/{id}/never-contact", allow="person.suppress", status=200)
def lead_decisions_never_contact(id: UUID, choice: Decision, ctx: Context) -> LeadDetail:
    """Never again, for any campaign; there is no way back."""
    ctx.get(Lead, id)
    with ctx.as_system():
        lead = ctx.get(Lead, id, lock=True)
        unfinished = lead.state in UNSETTLED
        try:
            leads.never_contact(ctx.db, lead, choice.reason, ctx.principal.id)
        except NotAllowed as refused:
            raise Conflict(str(refused), code="lead-state") from None
        ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id if unfinished else None, outcome="blocked"))
        return detail(ctx.db, lead)


@http.post("/api/v1/leads/{id}/erase", allow="lead.erase", status=200)
def lead_decisions_erase(id: UUID, choice: Decision, ctx: Context) -> LeadDetail:
    """At the person's request: what is known is gone, its hash stays so that it never comes back."""
    lead = ctx.get(Lead, id, lock=True)
    unfinished = lead.state in UNSETTLED
    if lead.state == "erased":
        raise Conflict("Este lead já foi apagado.", code="lead-state")
    leads.label(ctx.db, lead, "never_contact", None, ctx.principal.id)
    twins = leads.erase_twins(ctx.db, lead, ctx.settings.suppression_key, ctx.now)
    leads.erase(ctx.db, lead, "request", ctx.settings.suppression_key, ctx.now)
    for erased in (lead.id, *twins):
        ctx.emit(LeadErased(lead_id=erased, why="request"))
    ctx.log.info("lead-erased", lead_id=id, reason_length=len(choice.reason))
    ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id if unfinished else None, outcome="blocked"))
    return detail(ctx.db, lead)
