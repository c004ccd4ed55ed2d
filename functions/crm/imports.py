"""A spreadsheet of companies, people and deals: seen first, applied, and undone if regretted."""

from uuid import UUID

from somos.events.crm import DealOpened
from somos.events.sdr import SuppressionWanted
from somos.mesh import Context, Page, Upload, http
from somos.modules.crm.actions import imports as actions
from somos.modules.crm.queries.imports import counts, rows_of
from somos.modules.crm.rules.imports import check_step
from somos.modules.crm.schemas.imports import (
    ImportCounts,
    ImportFilter,
    ImportPatch,
    ImportRowFilter,
    ImportRowView,
    ImportView,
)
from somos.modules.crm.tables.imports import Import, ImportRow


@http.get("/api/v1/imports", allow="crm:read")
def imports_list(filter: ImportFilter, ctx: Context) -> Page[ImportView]:
    return ctx.page(ctx.visible(Import).where(*filter.clauses()), ImportView)


@http.get("/api/v1/imports/{id}", allow="crm:read")
def imports_get(id: UUID, ctx: Context) -> ImportView:
    return _view(ctx, ctx.get(Import, id))


@http.get("/api/v1/imports/{id}/rows", allow="crm:read")
def imports_rows(id: UUID, filter: ImportRowFilter, ctx: Context) -> Page[ImportRowView]:
    """Each line of the file with what came, or would come, of it."""
    rows = ctx.visible(ImportRow).where(ImportRow.import_id == ctx.get(Import, id).id, *filter.clauses())
    return ctx.page(rows, ImportRowView)


@http.post("/api/v1/imports", allow="crm:write")
def imports_create(upload: Upload, ctx: Context) -> ImportView:
    """Reads the file and shows what it would do; nothing is made yet."""
    return _view(ctx, actions.create(ctx, upload))


@http.patch("/api/v1/imports/{id}", allow="crm:write")
def imports_patch(id: UUID, patch: ImportPatch, ctx: Context) -> ImportView:
    """Another reading of the columns: the preview is made again."""
    return _view(ctx, actions.change(ctx, _before(ctx, id, "preview"), patch))


@http.post("/api/v1/imports/{id}/apply", allow="crm:write", status=200)
def imports_apply(id: UUID, ctx: Context) -> ImportView:
    """Makes what the ready lines say; what became known or refused since the preview is judged again.

    Whoever the file says never to contact is suppressed, for good: undoing the import does not lift it.
    """
    record = _before(ctx, id, "applied")
    for deal in actions.apply(ctx, record):
        ctx.emit(DealOpened(deal_id=deal.id, owner_id=deal.owner_id))
    for line, keys in actions.forbidden_keys(rows_of(ctx.db, record), record.mapping, ctx.settings.suppression_key):
        ctx.emit(SuppressionWanted(keys=keys, reason=f"{actions.FORBIDDEN} (linha {line})"))
    return _view(ctx, record)


@http.post("/api/v1/imports/{id}/undo", allow="crm:write", status=200)
def imports_undo(id: UUID, ctx: Context) -> ImportView:
    """Takes back what nobody worked with since; each line says what stayed, and why."""
    record = _before(ctx, id, "undone")
    actions.undo(ctx, record)
    return _view(ctx, record)


def _before(ctx: Context, id: UUID, to: str) -> Import:
    """The import for update, at a step from which it may go to that state."""
    record = ctx.get(Import, id, lock=True)
    check_step(record.state, to)
    return record


def _view(ctx: Context, record: Import) -> ImportView:
    ctx.db.flush()
    return ctx.show(record, ImportView).model_copy(update={"counts": ImportCounts(**counts(ctx.db, record.id))})
