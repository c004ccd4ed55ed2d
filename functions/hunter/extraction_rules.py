"""What an administrator teaches about reading sites: addresses to ignore and to prefer."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.hunter.schemas.extraction_rules import (
    ExtractionRuleChange,
    ExtractionRuleDraft,
    ExtractionRuleFilter,
    ExtractionRuleView,
)
from somos.modules.hunter.tables.extraction_rules import ExtractionRule


@http.get("/api/v1/extraction-rules", allow="hunter:read")
def extraction_rules_list(filter: ExtractionRuleFilter, ctx: Context) -> Page[ExtractionRuleView]:
    return ctx.page(ctx.visible(ExtractionRule).where(*filter.clauses()), ExtractionRuleView)


@http.post("/api/v1/extraction-rules", allow="hunter.configure")
def extraction_rules_create(draft: ExtractionRuleDraft, ctx: Context) -> ExtractionRuleView:
    rule = ExtractionRule(kind=draft.kind, action=draft.action, pattern=draft.pattern, note=draft.note)
    ctx.db.add(rule)
    return _shown(ctx, rule)


@http.patch("/api/v1/extraction-rules/{id}", allow="hunter.configure")
def extraction_rules_change(id: UUID, change: ExtractionRuleChange, ctx: Context) -> ExtractionRuleView:
    rule = ctx.get(ExtractionRule, id, lock=True)
    for name, value in change.model_dump(exclude_unset=True).items():
        if value is not None or name == "note":
            setattr(rule, name, value)
    return _shown(ctx, rule)


@http.delete("/api/v1/extraction-rules/{id}", allow="hunter.configure")
def extraction_rules_delete(id: UUID, ctx: Context) -> None:
    ctx.db.delete(ctx.get(ExtractionRule, id, lock=True))


def _shown(ctx: Context, rule: ExtractionRule) -> ExtractionRuleView:
    ctx.db.flush()
    ctx.db.refresh(rule)
    return ExtractionRuleView.model_validate(rule)
