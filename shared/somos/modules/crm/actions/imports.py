"""A spreadsheet on its way in: what each line would do, doing it, and taking it back."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, or_, select, text, tuple_
from sqlalchemy.orm import Session

from somos.events.sdr import AddressKind
from somos.kernel import sheets
from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, Upload, clock
from somos.mesh.ids import uuid7
from somos.modules.crm.actions import parties
from somos.modules.crm.actions.deal_stage_history import first_span
from somos.modules.crm.actions.deals import placed
from somos.modules.crm.queries.deal_stages import NoPipeline, first_stage
from somos.modules.crm.queries.imports import Book, book_of, rows_of, taken_documents
from somos.modules.crm.rules.imports import FIELDS, MAX_ROWS, SPELLINGS, SYNONYMS, Draft, draft_of, forbidden_people
from somos.modules.crm.schemas.imports import ImportPatch
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.company_contacts import CompanyContact
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deal_activities import DealActivity
from somos.modules.crm.tables.deal_stage_history import DealStageHistory
from somos.modules.crm.tables.deal_stages import DealStage
from somos.modules.crm.tables.deals import Deal
from somos.modules.crm.tables.imports import Import, ImportRow
from somos.modules.crm.tables.pipelines import Pipeline
from somos.modules.crm.tables.private_notes import PrivateNote
from somos.modules.crm.tables.taggings import Tagging

FORBIDDEN = "A planilha diz para não contatar esta pessoa."


def create(ctx: Context, upload: Upload) -> Import:
    """The file's lines with what they would do; nothing is made yet. Raises Invalid when it cannot be read."""
    try:
        table = sheets.read(upload.content, MAX_ROWS, SPELLINGS)
    except sheets.Unreadable as error:
        raise Invalid(str(error), field="file") from error
    record = ctx.create(
        Import,
        owner_id=ctx.principal.id,
        filename=upload.filename,
        encoding=table.encoding,
        delimiter=table.delimiter,
        headers=table.headers,
        mapping=sheets.guess_mapping(table.headers, SYNONYMS),
    )
    rows = [
        ImportRow(import_id=record.id, line=row.line, cells=row.cells, state="invalid", unreadable=list(row.problems))
        for row in table.rows
    ]
    _preview(ctx, record, rows)
    ctx.db.add_all(rows)
    return record


def change(ctx: Context, record: Import, patch: ImportPatch) -> Import:
    """Another reading of the columns: the preview is made again."""
    if patch.mapping is not None:
        _check_mapping(patch.mapping, record.headers)
    if patch.pipeline_id is not None:
        ctx.get(Pipeline, patch.pipeline_id)
    ctx.change(record, patch)
    rows = rows_of(ctx.db, record)
    _preview(ctx, record, rows)
    _save(ctx.db, rows)
    return record


def apply(ctx: Context, record: Import) -> list[Deal]:
    """Make what the ready lines say; what became known or refused since the preview is judged again."""
    try:
        stage = first_stage(ctx.db, record.pipeline_id)
    except NoPipeline:
        raise NotAllowed("Não há funil ativo com etapas", code="no-pipeline") from None
    rows = rows_of(ctx.db, record, "ready", "duplicate")
    deals = _make(ctx, record, rows, _book(ctx, record, rows), stage)
    ctx.change(record, state="applied", applied_at=ctx.now)
    parties.restate(ctx, *_involved(rows))
    return deals


def undo(ctx: Context, record: Import) -> None:
    """Take back what nobody worked with since; each line says what stayed, and why."""
    rows = rows_of(ctx.db, record, "imported")
    with ctx.as_system() as db:  # the work of others on a record counts too
        _take_back(db, rows)
        _save(db, rows)
    ctx.change(record, state="undone", undone_at=ctx.now)
    parties.restate(ctx, *_involved(rows))


def forbidden_keys(
    rows: Iterable[ImportRow], mapping: dict[str, str], secret: str
) -> Iterator[tuple[int, dict[str, AddressKind]]]:
    """(line, keyed hashes by kind) of everybody whom the file says never to contact, whatever came of their lines."""
    for row in rows:
        keys: dict[str, AddressKind] = {}
        for person in forbidden_people(row.cells, mapping):
            keys |= dict.fromkeys(person.hashes(secret), "phone" if person.phone else "email")
        if keys:
            yield row.line, keys


def _check_mapping(mapping: dict[str, str], headers: list[str]) -> None:
    for field, header in mapping.items():
        if field not in FIELDS:
            raise Invalid(f"Campo desconhecido: {field[:60]}", field="mapping")
        if header not in headers:
            raise Invalid(f"O arquivo não tem a coluna {header[:60]}", field=f"mapping.{field}")


def _preview(ctx: Context, record: Import, rows: list[ImportRow]) -> None:
    book = _book(ctx, record, rows)
    for row in rows:
        _assess(row, record.mapping, book)


def _book(ctx: Context, record: Import, rows: list[ImportRow]) -> Book:
    drafts = [draft for row in rows if (draft := draft_of(row.cells, record.mapping)[0])]
    book = book_of(ctx.db, drafts, ctx.visible(Company), ctx.visible(Contact))
    with ctx.as_system() as db:
        taken = taken_documents(db, drafts)
    book.elsewhere = taken - {value for kind, value in book.companies if kind == "document"}
    return book


def _assess(row: ImportRow, mapping: dict[str, str], book: Book) -> Draft | None:
    """Say on the row what it would do; the draft when there is something to do."""
    draft, problems = draft_of(row.cells, mapping)
    row.company_id = row.contact_id = None
    if draft is not None:
        row.company_id = book.company(draft)
        if row.company_id is not None and draft.document is not None:
            book.documents.setdefault(row.company_id, draft.document)  # a later line of another document is not it
        row.contact_id = book.contact(draft, row.company_id) if draft.contact_name else None
        if row.company_id is None and draft.document in book.elsewhere:
            problems.append("Este CNPJ ou CPF já está em outra carteira.")
        if book.suppressed.intersection(draft.people):
            problems.append("Esta pessoa pediu para não ser contatada.")
    row.problems = [*row.unreadable, *problems]
    if draft is None or row.problems:
        row.state = "invalid"
        return None
    if draft.forbidden:
        row.problems = [FORBIDDEN]
    is_new = row.company_id is None or (draft.contact_name and row.contact_id is None) or draft.deal_title
    row.state = "ready" if is_new else "duplicate"
    return draft if is_new else None


def _make(ctx: Context, record: Import, rows: Sequence[ImportRow], book: Book, stage: DealStage) -> list[Deal]:
    """Layer by layer, so that thousands of lines are a few statements."""
    companies: list[Company] = []
    contacts: list[Contact] = []
    links: set[tuple[UUID, UUID]] = set()
    deals: list[Deal] = []
    for row in rows:
        draft = _assess(row, record.mapping, book)
        if draft is None:
            continue
        created: dict[str, Any] = {}
        if row.company_id is None:
            company = _company(draft, record.owner_id)
            companies.append(company)
            row.company_id, created["company"] = company.id, True
        if draft.contact_name and row.contact_id is None:
            contact = _contact(draft, record.owner_id)
            contacts.append(contact)
            row.contact_id, created["contact"] = contact.id, True
        if row.contact_id is not None:
            links.add((row.company_id, row.contact_id))
        if draft.deal_title:
            deal = _deal(draft, row, placed(stage, ctx.now), record.owner_id)
            deals.append(deal)
            row.deal_id, created["deal"] = deal.id, True
        book.learn(draft, row.company_id, row.contact_id)
        row.state, row.made = "imported", created
    ctx.db.add_all([*companies, *contacts])
    ctx.db.flush()
    made_links = _new_links(ctx.db, links)
    ctx.db.add_all([*made_links, *deals])
    ctx.db.flush()
    linked = {(link.company_id, link.contact_id) for link in made_links}
    for row in rows:
        if (row.company_id, row.contact_id) in linked and row.state == "imported":
            row.made = {**row.made, "link": True}
    ctx.db.add_all(first_span(deal) for deal in deals)
    ctx.db.flush()
    _save(ctx.db, rows)
    return deals


def _involved(rows: Sequence[ImportRow]) -> Iterator[UUID | None]:
    """Companies and contacts that these lines made, or added to."""
    for row in rows:
        if row.made:
            yield from (row.company_id, row.contact_id)


def _take_back(db: Session, rows: Sequence[ImportRow]) -> None:
    links = [(row.company_id, row.contact_id) for row in rows if row.made.get("link")]
    removed = {
        "deal": _remove(db, Deal, _created_ids(rows, "deal"), _deal_touched()),
        "contact": _remove(db, Contact, _created_ids(rows, "contact"), _contact_touched()),
        "company": _remove(db, Company, _created_ids(rows, "company"), _company_touched(links)),
    }
    _unlink(db, rows)
    names = {"deal": "o negócio", "contact": "o contato", "company": "a empresa"}
    for row in rows:
        staying = [
            names[kind] for kind in names if row.made.get(kind) and getattr(row, f"{kind}_id") not in removed[kind]
        ]
        row.state = "kept" if staying else "undone"
        row.problems = [f"Ficou {' e '.join(staying)}: houve alterações depois da importação."] if staying else []


_SAVE = text("""
update crm.import_rows as line
set state = new.state, problems = new.problems, company_id = new.company_id, contact_id = new.contact_id,
    deal_id = new.deal_id, made = new.made, updated_at = :now
from jsonb_to_recordset(cast(:rows as jsonb)) as new
    (id uuid, state text, problems jsonb, company_id uuid, contact_id uuid, deal_id uuid, made jsonb)
where line.id = new.id
""")


def _save(db: Session, rows: Sequence[ImportRow]) -> None:
    """One statement for thousands of lines."""
    names = ("id", "state", "problems", "company_id", "contact_id", "deal_id", "made")
    values = [{name: getattr(row, name) for name in names} for row in rows]
    db.execute(_SAVE, {"rows": json.dumps(values, default=str), "now": clock.now()})


def _new_links(db: Session, pairs: set[tuple[UUID, UUID]]) -> list[CompanyContact]:
    pair = tuple_(CompanyContact.company_id, CompanyContact.contact_id)
    linked = select(CompanyContact.company_id, CompanyContact.contact_id).where(pair.in_(list(pairs)))
    known = {(company, contact) for company, contact in db.execute(linked)}
    return [
        CompanyContact(company_id=company, contact_id=contact, role="contato")
        for company, contact in sorted(pairs - known)
    ]


def _company(draft: Draft, owner_id: UUID) -> Company:
    return Company(
        id=uuid7(),
        name=draft.company_name,
        document=draft.document,
        domain=draft.domain,
        phone=draft.phone,
        email=draft.email,
        city=draft.city,
        uf=draft.uf,
        segment=draft.segment,
        notes=_others(draft.phones, draft.emails),
        owner_id=owner_id,
    )


def _contact(draft: Draft, owner_id: UUID) -> Contact:
    return Contact(
        id=uuid7(),
        name=draft.contact_name or draft.company_name,
        title=draft.contact_title,
        email=draft.contact_email,
        phone=draft.contact_phone,
        notes=_others(draft.contact_phones, draft.contact_emails),
        owner_id=owner_id,
    )


def _others(phones: Sequence[str], emails: Sequence[str]) -> str | None:
    """The further numbers and addresses of a cell, for which a record has no column."""
    others = [*phones[1:], *emails[1:]]
    return f"Também: {', '.join(others)}" if others else None


def _deal(draft: Draft, row: ImportRow, place: dict[str, Any], owner_id: UUID) -> Deal:
    return Deal(
        id=uuid7(),
        title=draft.deal_title or draft.company_name,
        owner_id=owner_id,
        company_id=row.company_id,
        contact_id=row.contact_id,
        value_cents=draft.deal_value_cents,
        expected_close_date=draft.expected_close_date,
        origin="import",
        **place,
    )


def _created_ids(rows: Sequence[ImportRow], kind: str) -> list[UUID]:
    return [getattr(row, f"{kind}_id") for row in rows if row.made.get(kind)]


def _remove(db: Session, table: Any, ids: list[UUID], touched: ColumnElement[bool]) -> set[UUID]:
    free = select(table.id).where(table.id.in_(ids), table.version == 1, ~touched).with_for_update()
    removed = set(db.scalars(free))
    db.execute(delete(table).where(table.id.in_(removed)))
    return removed


def _deal_touched() -> ColumnElement[bool]:
    return or_(
        exists(select(1).where(DealActivity.deal_id == Deal.id)),
        exists(select(1).where(PrivateNote.deal_id == Deal.id)),
        exists(select(1).where(DealStageHistory.deal_id == Deal.id, DealStageHistory.step > 1)),
        exists(select(1).where(Tagging.deal_id == Deal.id)),
    )


def _contact_touched() -> ColumnElement[bool]:
    return or_(
        exists(select(1).where(Deal.contact_id == Contact.id)),
        exists(select(1).where(Tagging.contact_id == Contact.id)),
    )


def _company_touched(own_links: list[tuple[UUID | None, UUID | None]]) -> ColumnElement[bool]:
    link = tuple_(CompanyContact.company_id, CompanyContact.contact_id)
    return or_(
        exists(select(1).where(Deal.company_id == Company.id)),
        exists(select(1).where(CompanyContact.company_id == Company.id, link.not_in(own_links))),
        exists(select(1).where(Tagging.company_id == Company.id)),
    )


def _unlink(db: Session, rows: Sequence[ImportRow]) -> None:
    """Where the import only introduced a known person to a known company."""
    for row in rows:
        if row.made.get("link") and not row.made.keys() & {"company", "contact"}:
            introduced = (CompanyContact.company_id == row.company_id, CompanyContact.contact_id == row.contact_id)
            db.execute(delete(CompanyContact).where(*introduced, CompanyContact.role == "contato"))
