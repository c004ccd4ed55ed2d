"""Learn what a company says of itself and what the registry says of it; find out whether we know it already."""

from somos.events.hunter import LeadEnriched, LeadFound, LeadSettled
from somos.mesh import Context, Later, topic
from somos.mesh.journal import Refusal
from somos.modules.hunter import enriching, readings
from somos.modules.hunter.rules.facts import Fact, chosen
from somos.ports.company_registry import CompanyRegistry
from somos.ports.errors import NotConfigured, OutsideError, Refused
from somos.ports.sites import Sites


@topic(LeadFound, emits=[LeadEnriched, LeadSettled], calls=[Sites, CompanyRegistry], queue="agents", timeout=90)
def on_lead_found(event: LeadFound, ctx: Context) -> None:
    known = ctx.read(enriching.known, event.lead_id)
    learnt: list[Fact] = []
    if known is not None:
        learnt += _site(ctx, known)
        known = ctx.read(enriching.known, event.lead_id)  # a search stopped meanwhile starts no other call
    if known is not None:
        learnt += _registry(ctx, [*known.facts, *learnt])

    with ctx.write() as db:
        if known is None:
            if not enriching.hold(db, event.lead_id, "discovered"):
                raise Later(1, "a busca foi retomada enquanto este passo esperava")
            return
        outcome, settled = enriching.enrich(db, event.lead_id, learnt, ctx.settings.suppression_key)
        if outcome == "enriched":
            ctx.emit(LeadEnriched(lead_id=event.lead_id, session_id=event.session_id))
        for one in settled:
            ctx.emit(LeadSettled(lead_id=one.lead_id, session_id=one.session_id, outcome=one.outcome))


def _site(ctx: Context, known: enriching.Known) -> list[Fact]:
    """The company's own site; one that cannot be read says nothing, and is no reason to lose the lead."""
    domain = known.domain
    if domain is None:
        return []
    try:
        page = ctx.once("site", ctx.port(Sites).fetch, url=known.site)
    except Refusal:
        return []
    except OutsideError as error:
        if error.retry_after is not None:
            raise
        ctx.log.info("site-unreadable", code=error.code)
        return []
    return readings.of_site(page, known.rules, domain, ctx.now)


def _registry(ctx: Context, facts: list[Fact]) -> list[Fact]:
    """What the registry says of the CNPJ, where one is known."""
    cnpj = chosen(facts).get("cnpj")
    if cnpj is None:
        return []
    try:
        record = ctx.once("registry", ctx.port(CompanyRegistry).by_cnpj, cnpj=cnpj.value)
    except (Refused, Refusal, NotConfigured):
        return []
    return readings.of_registry(record, ctx.now) if record else []
