"""One box that finds deals, companies and people."""

from somos.mesh import Context, http
from somos.modules.crm.queries.search import search
from somos.modules.crm.schemas.search import SearchAnswer, SearchQuery
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact
from somos.modules.crm.tables.deals import Deal


@http.get("/api/v1/crm/search", allow="crm:read")
def search_get(query: SearchQuery, ctx: Context) -> SearchAnswer:
    """By words of a title or name in any order, or by a whole CNPJ, site, phone or e-mail."""
    hits = search(ctx.db, query.q, query.limit, ctx.visible(Deal), ctx.visible(Company), ctx.visible(Contact))
    return SearchAnswer(hits=hits)
