"""Leads: what is known of each, where from, what it is worth and why; and what people make of them.

Two refusals are kept apart: not for this campaign, and never again. A spreadsheet of companies is the other way in:
the same steps as a search, and a report of every line.
"""

from uuid import UUID

from somos.events.hunter import LeadErased, LeadSettled
from somos.events.sdr import SuppressionWanted
from somos.kernel.refusals import NotAllowed
from somos.kernel.sheets import Unreadable, read
from somos.mesh import Conflict, Context, Download, Invalid, Page, Upload, http
from somos.modules.auth import queries as auth
from somos.modules.hunter.actions import lead_imports, leads, search_sessions
from somos.modules.hunter.queries.lead_details import detail
from somos.modules.hunter.rules.lead_exports import sheet_of
from somos.modules.hunter.rules.lead_imports import SPELLINGS
from somos.modules.hunter.rules.leads import UNSETTLED
from somos.modules.hunter.schemas.lead_imports import ImportFilter, ImportReport
from somos.modules.hunter.schemas.leads import (
    Acceptance,
    Decision,
    ExportFilter,
    LeadDetail,
    LeadFilter,
    LeadPatch,
    LeadView,
)
from somos.modules.hunter.tables.icp_profiles import IcpProfile
from somos.modules.hunter.tables.leads import Lead

MOST_EXPORTED = 20_000


@http.get("/api/v1/leads", allow="hunter:read")
def leads_list(filter: LeadFilter, ctx: Context) -> Page[LeadView]:
    return ctx.page(ctx.chosen(filter), LeadView)


@http.get("/api/v1/leads/{id}", allow="hunter:read")
def leads_get(id: UUID, ctx: Context) -> LeadDetail:
    """With the provenance of every value, the score criterion by criterion, and the LGPD card."""
    return detail(ctx.db, ctx.get(Lead, id))


@http.patch("/api/v1/leads/{id}", allow="hunter:write")
def leads_patch(id: UUID, patch: LeadPatch, ctx: Context) -> LeadDetail:
    """What a person knows better; the other sources' values stay beside it."""
    lead = ctx.get(Lead, id, lock=True)
    if lead.state in ("duplicate", "blocked", "erased"):
        raise NotAllowed("Este lead não pode mais ser alterado.", code="lead-state")
    values = patch.model_dump(exclude_none=True)
    owner_id = values.pop("owner_id", None)
    if owner_id is not None:
        owner = auth.user_card(ctx.db, owner_id)
        if owner is None or not owner.active:
            raise Invalid("Não há uma conta ativa com este identificador", field="owner_id")
        lead.owner_id = owner_id
    leads.correct(ctx.db, lead, values, ctx.settings.suppression_key, ctx.now)
    return detail(ctx.db, lead)


@http.post("/api/v1/leads/{id}/accept", allow="lead.decide", status=200)
def leads_accept(id: UUID, choice: Acceptance, ctx: Context) -> LeadDetail:
    """The lead is good; one that was refused needs the reason why it fits after all."""
    lead = ctx.get(Lead, id, lock=True)
    leads.accept(ctx.db, lead, choice.reason, ctx.principal.id, ctx.now)
    return detail(ctx.db, lead)


@http.post("/api/v1/leads/{id}/reject", allow="lead.decide", status=200)
def leads_reject(id: UUID, choice: Decision, ctx: Context) -> LeadDetail:
    """Not for this campaign."""
    lead = ctx.get(Lead, id, lock=True)
    unfinished = lead.state in UNSETTLED
    leads.reject(ctx.db, lead, choice.reason, ctx.principal.id)
    if unfinished:
        ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id, outcome="rejected"))
    return detail(ctx.db, lead)


@http.post("/api/v1/leads/{id}/never-contact", allow="person.suppress", status=200)
def leads_never_contact(id: UUID, choice: Decision, ctx: Context) -> LeadDetail:
    """Never again, for any campaign; there is no way back."""
    ctx.get(Lead, id)
    with ctx.as_system():
        lead = ctx.get(Lead, id, lock=True)
        unfinished = lead.state in UNSETTLED
        leads.never_contact(ctx.db, lead, choice.reason, ctx.principal.id)
        ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id if unfinished else None, outcome="blocked"))
        return detail(ctx.db, lead)


@http.post("/api/v1/leads/{id}/erase", allow="lead.erase", status=200)
def leads_erase(id: UUID, choice: Decision, ctx: Context) -> LeadDetail:
    """At the person's request: what is known is gone, its hash stays so that it never comes back."""
    lead = ctx.get(Lead, id, lock=True)
    unfinished = lead.state in UNSETTLED
    if lead.state == "erased":
        raise NotAllowed("Este lead já foi apagado.", code="lead-state")
    leads.label(ctx.db, lead, "never_contact", None, ctx.principal.id)
    twins = leads.erase_twins(ctx.db, lead, ctx.settings.suppression_key, ctx.now)
    leads.erase(ctx.db, lead, "request", ctx.settings.suppression_key, ctx.now)
    for erased in (lead.id, *twins):
        ctx.emit(LeadErased(lead_id=erased, why="request"))
    ctx.log.info("lead_erased", lead_id=id, reason_length=len(choice.reason))
    ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id if unfinished else None, outcome="blocked"))
    return detail(ctx.db, lead)


@http.get("/api/v1/leads/export", allow="hunter:read", patience=60)
def leads_export(filter: ExportFilter, ctx: Context) -> Download:
    """CSV of the leads that the filters choose, with the reason of each score."""
    chosen = ctx.chosen(filter)
    if ctx.count(chosen) > MOST_EXPORTED:
        raise Invalid(f"São mais de {MOST_EXPORTED} leads; filtre por perfil, estado ou nota")
    content = sheet_of(ctx.db.scalars(chosen.order_by(Lead.id)), filter.layout)
    return Download(content, "text/csv; charset=utf-8", f"leads-{ctx.today}.csv")


@http.post("/api/v1/leads/import", allow="hunter:write")
def leads_import(filter: ImportFilter, upload: Upload, ctx: Context) -> ImportReport:
    """Take in a CSV with Portuguese headers and judge its companies by a profile.

    Companies that a column such as `nao_contatar` marks are stored as blocked, and their people suppressed.
    """
    profile = ctx.get(IcpProfile, filter.icp_id)
    if profile.archived:
        raise Conflict("Este perfil está arquivado.", code="icp-archived")
    name = upload.filename or "planilha.csv"
    try:
        sheet = read(upload.content, known=SPELLINGS)
        lines = lead_imports.lines_of(sheet, name, ctx.now)
    except Unreadable as error:
        raise Invalid(str(error), field="file", code="unreadable-file") from None
    session = search_sessions.begin_import(ctx, profile, len(lines))
    secret = ctx.settings.suppression_key
    taken = lead_imports.take(ctx.db, session, sheet, lines, secret=secret, now=ctx.now)
    for number, keys in lead_imports.forbidden_keys(lines, secret):
        ctx.emit(SuppressionWanted(keys=keys, reason=f"{lead_imports.FORBIDDEN} ({name[:100]}, linha {number})"))
    for one in taken.ended:
        ctx.emit(LeadSettled(lead_id=one.lead_id, session_id=one.session_id, outcome="blocked"))
    step = search_sessions.advance(ctx.db, session, secret=secret, now=ctx.now)
    step.new_leads += taken.new
    search_sessions.announce(ctx, session, step)
    return taken.report
