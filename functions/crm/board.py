"""The kanban board of a pipeline."""

from somos.mesh import Context, http
from somos.modules.crm.queries.board import board
from somos.modules.crm.schemas.board import Board, BoardQuery
from somos.modules.crm.tables import Pipeline


@http.get("/api/v1/deals/board", allow="crm:read")
def board_get(query: BoardQuery, ctx: Context) -> Board:
    """Each stage with its count and R$ total, and its oldest cards first, those past the limit marked."""
    ctx.get(Pipeline, query.pipeline_id)
    return board(ctx.db, ctx.chosen(query), query.pipeline_id, query.limit, ctx.now)
