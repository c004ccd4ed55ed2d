"""Marks on many records at once."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from somos.mesh import Context, Invalid
from somos.mesh.ids import uuid7
from somos.modules.crm.tables.taggings import Tagging
from somos.modules.crm.tables.tags import Tag


def tag_many(ctx: Context, deal_ids: Collection[UUID], added: Collection[UUID], removed: Collection[UUID]) -> None:
    """Marking twice is marking once. Raises Invalid when an added tag does not exist."""
    tags, deals = set(added), set(deal_ids)
    if ctx.count(ctx.visible(Tag).where(Tag.id.in_(tags))) != len(tags):
        raise Invalid("Etiqueta não encontrada", field="changes.add_tag_ids")
    rows = [{"id": uuid7(), "tag_id": tag, "deal_id": deal} for tag in sorted(tags) for deal in sorted(deals)]
    if rows:
        ctx.db.execute(insert(Tagging).values(rows).on_conflict_do_nothing())
    if removed:
        ctx.db.execute(delete(Tagging).where(Tagging.deal_id.in_(deals), Tagging.tag_id.in_(removed)))
