"""Leads alike in name and city: shown to a person, who says whether they are one. Nothing merges by itself."""

from uuid import UUID

from somos.events.hunter import LeadSettled
from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, Page, http
from somos.modules.hunter.actions import merge_suggestions
from somos.modules.hunter.schemas.merge_suggestions import MergeChoice, SuggestionFilter, SuggestionView
from somos.modules.hunter.tables.merge_suggestions import MergeSuggestion


@http.get("/api/v1/merge-suggestions", allow="hunter:read")
def merge_suggestions_list(filter: SuggestionFilter, ctx: Context) -> Page[SuggestionView]:
    return ctx.page(ctx.visible(MergeSuggestion).where(*filter.clauses()), SuggestionView)


@http.post("/api/v1/merge-suggestions/{id}/merge", allow="lead.decide", status=200)
def merge_suggestions_merge(id: UUID, choice: MergeChoice, ctx: Context) -> SuggestionView:
    """They are one: the survivor gets the other's keys, origins and values."""
    suggestion = _open(ctx, id)
    if choice.survivor_id not in (suggestion.lead_id, suggestion.other_id):
        raise Invalid("O lead que fica deve ser um dos dois", field="survivor_id")
    unfinished = merge_suggestions.merge(ctx.db, suggestion, choice.survivor_id, ctx.principal.id)
    for lead in unfinished:
        ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id, outcome="duplicate"))
    return ctx.show(suggestion, SuggestionView)


@http.post("/api/v1/merge-suggestions/{id}/dismiss", allow="lead.decide", status=200)
def merge_suggestions_dismiss(id: UUID, ctx: Context) -> SuggestionView:
    """They are two."""
    suggestion = _open(ctx, id)
    ctx.change(suggestion, state="dismissed", decided_by=ctx.principal.id)
    return ctx.show(suggestion, SuggestionView)


def _open(ctx: Context, id: UUID) -> MergeSuggestion:
    suggestion = ctx.get(MergeSuggestion, id, lock=True)
    if suggestion.state != "open":
        raise NotAllowed("Alguém já decidiu esta sugestão.", code="suggestion-decided")
    return suggestion
