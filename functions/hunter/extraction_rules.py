"""What an administrator teaches about reading sites: addresses to ignore and to prefer."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.hunter.schemas.extraction_rules import (
    ExtractionRuleDraft,
    ExtractionRuleFilter,
    ExtractionRulePatch,
    ExtractionRuleView,
)
from somos.modules.hunter.tables.extraction_rules import ExtractionRule


@http.get("/api/v1/extraction-rules", allow="hunter:read")
def extraction_rules_list(filter: ExtractionRuleFilter, ctx: Context) -> Page[ExtractionRuleView]:
    return ctx.page(ctx.visible(ExtractionRule).where(*filter.clauses()), ExtractionRuleView)


@http.post("/api/v1/extraction-rules", allow="hunter.configure")
def extraction_rules_create(draft: ExtractionRuleDraft, ctx: Context) -> ExtractionRuleView:
    return ctx.show(ctx.create(ExtractionRule, draft), ExtractionRuleView)


@http.patch("/api/v1/extraction-rules/{id}", allow="hunter.configure")
def extraction_rules_patch(id: UUID, patch: ExtractionRulePatch, ctx: Context) -> ExtractionRuleView:
    return ctx.show(ctx.change(ctx.get(ExtractionRule, id, lock=True), patch), ExtractionRuleView)


@http.delete("/api/v1/extraction-rules/{id}", allow="hunter.configure")
def extraction_rules_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(ctx.get(ExtractionRule, id, lock=True))
