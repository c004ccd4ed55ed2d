"""Two records of one company or person become one, field by field."""

from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Forbidden, Invalid, Page, http
from somos.modules.crm.actions import parties
from somos.modules.crm.actions.merges import TABLES, merge
from somos.modules.crm.queries.contacts import people_of
from somos.modules.crm.rules.duplicates import may_be_one
from somos.modules.crm.rules.merges import FIELDS, unknown_choices
from somos.modules.crm.schemas.merges import MergeDraft, MergeFilter, MergeView
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.merges import Merge
from somos.policy.grants import allows


@http.get("/api/v1/merges", allow="crm:read")
def merges_list(filter: MergeFilter, ctx: Context) -> Page[MergeView]:
    return ctx.page(ctx.visible(Merge).where(*filter.clauses()), MergeView)


@http.post("/api/v1/merges", allow="crm:write")
def merges_create(draft: MergeDraft, ctx: Context) -> MergeView:
    """The survivor keeps or takes each field as chosen; deals, people and tags of the other become its own."""
    if draft.survivor_id == draft.absorbed_id:
        raise Invalid("Escolha dois registros diferentes", field="absorbed_id")
    if unknown := unknown_choices(draft.choices, FIELDS[draft.kind]):
        raise Invalid(f"Campo que não se escolhe: {', '.join(unknown)[:200]}", field="choices")
    rows = {id: _row(ctx, draft, id) for id in sorted((draft.survivor_id, draft.absorbed_id))}
    survivor, absorbed = rows[draft.survivor_id], rows[draft.absorbed_id]
    _refuse_two_documents(draft, survivor, absorbed)
    if not allows(ctx.principal, "deal.reassign"):
        _refuse_others(ctx, rows)
    with ctx.as_system():  # what points at the absorbed may be somebody else's
        record = merge(ctx, draft, survivor, absorbed)
        colleagues = people_of(ctx.db, survivor.id)
    parties.restate(ctx, survivor.id, absorbed.id, *colleagues)
    return ctx.show(record, MergeView)


def _row(ctx: Context, draft: MergeDraft, id: UUID) -> Company | Contact:
    """Locked in the order of ids, so that two merges of the same pair never wait for each other."""
    row = ctx.get(TABLES[draft.kind], id, lock=True)
    if row.merged_into_id is not None:
        raise NotAllowed("Um dos registros já foi juntado a outro", code="merged")
    return row


def _refuse_two_documents(draft: MergeDraft, survivor: Company | Contact, absorbed: Company | Contact) -> None:
    """Two documents are two companies, unless a person says which of them is the right one."""
    both = [row.document for row in (survivor, absorbed) if isinstance(row, Company)]
    if both and "document" not in draft.choices and not may_be_one(*both):
        raise NotAllowed(
            "Têm documentos diferentes: são duas empresas. Se um deles está errado, escolha qual fica.",
            code="two-documents",
        )


def _refuse_others(ctx: Context, rows: dict[UUID, Company | Contact]) -> None:
    if any(row.owner_id != ctx.principal.id for row in rows.values()):
        raise Forbidden("Só a direção junta registros de outra carteira", code="merge-forbidden")
