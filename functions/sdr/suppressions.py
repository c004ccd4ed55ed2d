"""Who asked never to be written to. Rows are added and read; there is no way to take one out."""

from somos.kernel.keys import PersonKeys
from somos.mesh import Context, Page, http
from somos.modules.sdr.actions.people import silence
from somos.modules.sdr.queries.people import key_of
from somos.modules.sdr.schemas.suppressions import Suppress, Suppressed, SuppressionFilter, SuppressionView
from somos.modules.sdr.tables.suppressions import Suppression


@http.get("/api/v1/suppressions", allow="sdr:read")
def suppressions_list(filter: SuppressionFilter, ctx: Context) -> Page[SuppressionView]:
    return ctx.page(ctx.visible(Suppression).where(*filter.clauses()), SuppressionView)


@http.post("/api/v1/suppressions", allow="person.suppress")
def suppressions_create(suppress: Suppress, ctx: Context) -> Suppressed:
    """Never write to this person again, by any address that we know of."""
    secret = ctx.settings.suppression_key
    keys = PersonKeys.of(suppress.phone, suppress.email)
    kinds = {key_of(secret, "phone", keys.phone): "phone", key_of(secret, "email", keys.email): "email"}
    given = {key: kind for key, kind in kinds.items() if key}
    with ctx.as_system():
        return silence(ctx, given, source="manual", reason=suppress.reason, added_by=ctx.principal.id)
