"""Learn what a company says of itself and what the registry says of it; find out whether we know it already."""

from collections.abc import Callable
from functools import partial

from somos.events.hunter import LeadEnriched, LeadFound, LeadSettled
from somos.mesh import Context, Later, topic
from somos.mesh.journal import Refusal
from somos.mesh.queues import AGENTS
from somos.modules.hunter.actions import lead_enrichment, lead_sources
from somos.modules.hunter.queries.lead_enrichment import Known, known_of
from somos.modules.hunter.rules.facts import Fact, chosen
from somos.ports.company_registry import CompanyRegistry
from somos.ports.errors import NotConfigured, OutsideError, Refused
from somos.ports.sites import Sites

GATEWAY_FAILURES = frozenset({502, 503, 504})


# The waits between seven attempts outlast two minutes without the world.
@topic(LeadFound, calls=[Sites, CompanyRegistry], queue=AGENTS, timeout=90, attempts=7)
def on_lead_found(event: LeadFound, ctx: Context) -> None:
    known = ctx.read(known_of, event.lead_id)
    learnt: list[Fact] = []
    unreached: list[str] = []
    if known is not None:
        learnt += _reached(ctx, "site", partial(_site, ctx, known), unreached)
        known = ctx.read(known_of, event.lead_id)  # a search stopped meanwhile starts no other call
    if known is not None:
        learnt += _reached(ctx, "registry", partial(_registry, ctx, [*known.facts, *learnt]), unreached)

    with ctx.write() as db:
        if known is None:
            if not lead_enrichment.hold(db, event.lead_id, "discovered"):
                raise Later(1, "a busca foi retomada enquanto este passo esperava")
            return
        outcome, settled = lead_enrichment.enrich(db, event.lead_id, learnt, ctx.settings.suppression_key, unreached)
        if outcome == "enriched":
            ctx.emit(LeadEnriched(lead_id=event.lead_id, session_id=event.session_id))
        for one in settled:
            ctx.emit(LeadSettled(lead_id=one.lead_id, session_id=one.session_id, outcome=one.outcome))


def _reached(ctx: Context, name: str, ask: Callable[[], list[Fact]], unreached: list[str]) -> list[Fact]:
    """What a source says. One that does not answer is asked again with the next attempt; the last goes without."""
    try:
        return ask()
    except OutsideError as error:
        if error.retry_after is not None or not (_is_settled(name, error) or ctx.is_last_attempt()):
            raise
        ctx.log.warning("lead_source_unreached", source=name, code=error.code)
        unreached.append(name)
        return []


def _is_settled(name: str, error: OutsideError) -> bool:
    """Asking again mends nothing: we lack a setting, or the site itself, no gateway before it, says it is broken."""
    is_broken = name == "site" and error.status is not None and error.status not in GATEWAY_FAILURES
    return is_broken or isinstance(error, NotConfigured)


def _site(ctx: Context, known: Known) -> list[Fact]:
    """The company's own site; one that refuses to be read says nothing, and is no reason to lose the lead."""
    domain = known.domain
    if domain is None:
        return []
    try:
        page = ctx.once("site", ctx.port(Sites).fetch, url=known.site)
    except (Refused, Refusal) as error:
        ctx.log.info("site_unreadable", code=error.code)
        return []
    return lead_sources.of_site(page, known.rules, domain, ctx.now)


def _registry(ctx: Context, facts: list[Fact]) -> list[Fact]:
    """What the registry says of the CNPJ, where one is known."""
    cnpj = chosen(facts).get("cnpj")
    if cnpj is None:
        return []
    try:
        record = ctx.once("registry", ctx.port(CompanyRegistry).by_cnpj, cnpj=cnpj.value)
    except (Refused, Refusal):
        return []
    return lead_sources.of_registry(record, ctx.now) if record else []
