"""Ask the model what an answer means, when rules could not tell; below the limit, a person is asked."""

from somos.events.sdr import ReplyStored
from somos.mesh import Context, topic
from somos.mesh.queues import AGENTS
from somos.modules.sdr.actions.model_answers import ask_model
from somos.modules.sdr.actions.responses import locked, settle
from somos.modules.sdr.queries.responses import NOTHING_SAID, ReplyClassification, date_of, question_for_model
from somos.modules.sdr.rules.inbound import by_model
from somos.ports.llm import Llm


@topic(ReplyStored, calls=[Llm], queue=AGENTS, timeout=90)
def on_reply_stored(event: ReplyStored, ctx: Context) -> None:
    prompt = ctx.read(question_for_model, event.response_id, ctx.today)
    if prompt is None:
        return
    answer = ask_model(ctx, "classify", prompt, ReplyClassification)
    reading = ReplyClassification.model_validate(answer.output) if answer else NOTHING_SAID
    verdict = by_model(reading.label, reading.confidence, reading.quote)
    with ctx.write():
        response = locked(ctx, event.response_id)
        if response.label is None and response.erased_at is None:  # a person may have been faster
            later = date_of(reading.later_date) if verdict.label == "later" else None
            settle(ctx, response, verdict, by="model", model=answer.model if answer else None, later_date=later)
