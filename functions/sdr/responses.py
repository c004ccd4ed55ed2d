"""What people answered, and its class when a person has to say it."""

from uuid import UUID

from somos.kernel.refusals import NotAllowed
from somos.mesh import Context, Invalid, Page, http
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.actions.responses import locked, settle
from somos.modules.sdr.queries.conversations import check_owns
from somos.modules.sdr.rules.inbound import Verdict
from somos.modules.sdr.schemas.responses import Classify, ResponseFilter, ResponseView
from somos.modules.sdr.tables.responses import Response


@http.get("/api/v1/responses", allow="sdr:read")
def responses_list(filter: ResponseFilter, ctx: Context) -> Page[ResponseView]:
    return ctx.page(ctx.visible(Response).where(*filter.clauses()), ResponseView)


@http.get("/api/v1/responses/{id}", allow="sdr:read")
def responses_get(id: UUID, ctx: Context) -> ResponseView:
    return ctx.show(ctx.get(Response, id), ResponseView)


@http.post("/api/v1/responses/{id}/classify", allow="conversation.reply", status=200)
def responses_classify(id: UUID, classify: Classify, ctx: Context) -> ResponseView:
    """Say what an answer means; a seller for own leads only. It never takes an opt-out back."""
    response = ctx.get(Response, id)
    if response.erased_at is not None:
        raise NotAllowed("Os dados desta resposta foram apagados", code="response-erased")
    if classify.lead_id is not None and response.lead_id not in (None, classify.lead_id):
        raise NotAllowed("Esta resposta já é de outro lead", code="response-matched")
    lead_id = response.lead_id or classify.lead_id
    check_owns(ctx, lead_id)
    if lead_id is not None and hunter.lead_states(ctx.db, [lead_id]).get(lead_id, "erased") == "erased":
        raise Invalid("O lead não existe ou foi apagado", field="lead_id")
    if classify.later_date is not None and classify.label != "later":
        raise Invalid("Só `later` tem data", field="later_date")
    with ctx.as_system():
        response = locked(ctx, id)
        response.lead_id = lead_id
        verdict = Verdict(classify.label, response.quote or "", 1.0)
        settle(ctx, response, verdict, by="person", by_id=ctx.principal.id, later_date=classify.later_date)
    return ctx.show(response, ResponseView)
