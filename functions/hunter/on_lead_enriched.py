"""Judge a lead: whatever is against it first, then the rubric, whose sum is code."""

from somos.events.hunter import LeadEnriched, LeadSettled
from somos.mesh import Context, Later, topic
from somos.modules.hunter import assessing, enriching, judging
from somos.ports.llm import Llm, LlmAnswer


@topic(LeadEnriched, emits=[LeadSettled], calls=[Llm], queue="agents", timeout=120)
def on_lead_enriched(event: LeadEnriched, ctx: Context) -> None:
    case = ctx.read(judging.case_of, event.lead_id, ctx.now)
    answer = _ask(ctx, case) if case is not None and case.asked else None

    with ctx.write() as db:
        if case is None:
            if not enriching.hold(db, event.lead_id, "enriching"):
                raise Later(1, "a busca foi retomada enquanto este passo esperava")
            return
        said = assessing.answers_in(answer.output) if answer else []
        settled = judging.settle(db, event.lead_id, case, said, now=ctx.now, model=answer.model if answer else None)
        if settled is not None:
            lead, outcome = settled
            ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id, outcome=outcome))


def _ask(ctx: Context, case: judging.Case) -> LlmAnswer:
    prompt = assessing.prompt_for(case.asked, case.lines)
    return ctx.once("assess", ctx.port(Llm).ask, prompt=prompt, output=assessing.RubricAssessment)
