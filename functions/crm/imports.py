"""A spreadsheet of companies, people and deals: seen first, applied, and undone if regretted."""

from uuid import UUID

from somos.events.crm import DealOpened
from somos.events.sdr import SuppressionWanted
from somos.kernel import sheets
from somos.mesh import Conflict, Context, Invalid, Page, Upload, http
from somos.modules.crm.actions import imports as actions
from somos.modules.crm.queries import imports as queries
from somos.modules.crm.queries.deal_stages import NoPipeline, first_stage
from somos.modules.crm.rules.imports import FIELDS, MAX_ROWS, SPELLINGS, SYNONYMS, draft_of
from somos.modules.crm.schemas.imports import (
    ImportCounts,
    ImportFilter,
    ImportPatch,
    ImportRowFilter,
    ImportRowView,
    ImportView,
)
from somos.modules.crm.tables import Company, Contact, Import, ImportRow, Pipeline


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
    try:
        table = sheets.read(upload.content, MAX_ROWS, SPELLINGS)
    except sheets.Unreadable as error:
        raise Invalid(str(error), field="file") from error
    wanted = Import(
        owner_id=ctx.principal.id,
        filename=upload.filename,
        encoding=table.encoding,
        delimiter=table.delimiter,
        headers=table.headers,
        mapping=sheets.guess_mapping(table.headers, SYNONYMS),
    )
    ctx.db.add(wanted)
    ctx.db.flush()
    rows = [
        ImportRow(import_id=wanted.id, line=row.line, cells=row.cells, state="invalid", unreadable=list(row.problems))
        for row in table.rows
    ]
    _preview(ctx, wanted, rows)
    ctx.db.add_all(rows)
    return _view(ctx, wanted)


@http.patch("/api/v1/imports/{id}", allow="crm:write")
def imports_patch(id: UUID, patch: ImportPatch, ctx: Context) -> ImportView:
    """Another reading of the columns: the preview is made again."""
    wanted = _in_state(ctx, id, "preview")
    changes = patch.model_dump(exclude_unset=True)
    if "mapping" in changes:
        _check_mapping(changes["mapping"], wanted.headers)
    if changes.get("pipeline_id") is not None:
        ctx.get(Pipeline, changes["pipeline_id"])
    for name, value in changes.items():
        setattr(wanted, name, value)
    rows = queries.rows_of(ctx.db, wanted)
    _preview(ctx, wanted, rows)
    actions.save(ctx.db, rows)
    return _view(ctx, wanted)


@http.post("/api/v1/imports/{id}/apply", allow="crm:write", status=200)
def imports_apply(id: UUID, ctx: Context) -> ImportView:
    """Makes what the ready lines say; what became known or refused since the preview is judged again.

    Whoever the file says never to contact is suppressed, for good: undoing the import does not lift it.
    """
    wanted = _in_state(ctx, id, "preview")
    try:
        stage = first_stage(ctx.db, wanted.pipeline_id)
    except NoPipeline:
        raise Conflict("Não há funil ativo com etapas", code="no-pipeline") from None
    rows = queries.rows_of(ctx.db, wanted, "ready", "duplicate")
    book = _book(ctx, wanted, rows)
    deals = actions.apply(ctx.db, rows, wanted.mapping, book, stage, ctx.principal.id, ctx.now)
    for deal in deals:
        ctx.emit(DealOpened(deal_id=deal.id, owner_id=deal.owner_id))
    everybody = queries.rows_of(ctx.db, wanted)
    for line, keys in actions.forbidden_keys(everybody, wanted.mapping, ctx.settings.suppression_key):
        ctx.emit(SuppressionWanted(keys=keys, reason=f"{actions.FORBIDDEN} (linha {line})"))
    wanted.state, wanted.applied_at = "applied", ctx.now
    return _view(ctx, wanted)


@http.post("/api/v1/imports/{id}/undo", allow="crm:write", status=200)
def imports_undo(id: UUID, ctx: Context) -> ImportView:
    """Takes back what nobody worked with since; each line says what stayed, and why."""
    wanted = _in_state(ctx, id, "applied")
    rows = queries.rows_of(ctx.db, wanted, "imported")
    with ctx.as_system() as db:
        actions.undo(db, rows)
        actions.save(db, rows)
    wanted.state, wanted.undone_at = "undone", ctx.now
    return _view(ctx, wanted)


def _in_state(ctx: Context, id: UUID, state: str) -> Import:
    wanted = ctx.get(Import, id, lock=True)
    if wanted.state != state:
        raise Conflict("A importação não está mais neste passo", code="import-state", fresh=_view(ctx, wanted))
    return wanted


def _check_mapping(mapping: dict[str, str], headers: list[str]) -> None:
    for field, header in mapping.items():
        if field not in FIELDS:
            raise Invalid(f"Campo desconhecido: {field[:60]}", field="mapping")
        if header not in headers:
            raise Invalid(f"O arquivo não tem a coluna {header[:60]}", field=f"mapping.{field}")


def _preview(ctx: Context, wanted: Import, rows: list[ImportRow]) -> None:
    book = _book(ctx, wanted, rows)
    for row in rows:
        actions.assess(row, wanted.mapping, book)


def _book(ctx: Context, wanted: Import, rows: list[ImportRow]) -> queries.Book:
    drafts = [draft for row in rows if (draft := draft_of(row.cells, wanted.mapping)[0])]
    book = queries.book_of(ctx.db, drafts, ctx.visible(Company), ctx.visible(Contact))
    with ctx.as_system() as db:
        taken = queries.taken_documents(db, drafts)
    book.elsewhere = taken - {value for kind, value in book.companies if kind == "document"}
    return book


def _view(ctx: Context, wanted: Import) -> ImportView:
    ctx.db.flush()
    counts = ImportCounts(**queries.counts(ctx.db, wanted.id))
    return ImportView.model_validate(wanted).model_copy(update={"counts": counts})
