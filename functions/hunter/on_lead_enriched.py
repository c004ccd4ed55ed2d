"""Judge a lead: whatever is against it first, then the rubric, whose sum is code."""

from somos.events.hunter import LeadEnriched, LeadSettled
from somos.mesh import Context, Later, topic
from somos.mesh.journal import Refusal
from somos.mesh.queues import AGENTS
from somos.modules.hunter.actions import lead_enrichment, lead_scores
from somos.modules.hunter.queries.lead_scores import case_of
from somos.ports.errors import OutsideError, Refused
from somos.ports.llm import Llm, LlmAnswer, Prompt


@topic(LeadEnriched, calls=[Llm], queue=AGENTS, timeout=120)
def on_lead_enriched(event: LeadEnriched, ctx: Context) -> None:
    case = ctx.read(case_of, event.lead_id, ctx.now)
    prompt = lead_scores.prompt_for(case.open_criteria, case.lines) if case is not None and case.open_criteria else None
    answer = _ask(ctx, prompt) if prompt is not None else None

    with ctx.write() as db:
        if case is None:
            if not lead_enrichment.hold(db, event.lead_id, "enriching"):
                raise Later(1, "a busca foi retomada enquanto este passo esperava")
            return
        settled = lead_scores.settle(
            db,
            event.lead_id,
            case,
            lead_scores.answers_in(answer.output) if answer else [],
            now=ctx.now,
            model=answer.model if answer else None,
            prompt_version=prompt.version if answer and prompt else None,
            unanswered=prompt is not None and answer is None,
        )
        if settled is not None:
            lead, outcome = settled
            ctx.emit(LeadSettled(lead_id=lead.id, session_id=lead.session_id, outcome=outcome))


def _ask(ctx: Context, prompt: Prompt) -> LlmAnswer | None:
    """What the model says; None when it refuses, answers nothing usable, or is away until the last attempt."""
    try:
        return ctx.once("assess", ctx.port(Llm).ask, prompt=prompt, output=lead_scores.RubricAssessment)
    except (Refused, Refusal) as error:
        ctx.log.warning("model_gave_no_assessment", code=error.code)
        return None
    except OutsideError as error:
        if error.retry_after is not None or not ctx.is_last_attempt():
            raise
        ctx.log.warning("model_unreached", code=error.code)
        return None
