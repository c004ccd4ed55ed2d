"""Ask the model what an answer means, when rules could not tell; below the limit, a person is asked."""

from somos.events.sdr import ReplyStored
from somos.mesh import Context, topic
from somos.modules.sdr.actions.model_answers import ask_model
from somos.modules.sdr.actions.responses import conclude, lock_writer
from somos.modules.sdr.queries.responses import NOTHING_SAID, ReplyClassification, date_of, question_for_model
from somos.modules.sdr.rules.inbound import settle
from somos.modules.sdr.tables import Response
from somos.ports.llm import Llm


@topic(ReplyStored, calls=[Llm], queue="agents", timeout=90)
def on_reply_stored(event: ReplyStored, ctx: Context) -> None:
    prompt = ctx.read(question_for_model, event.response_id, ctx.today)
    if prompt is None:
        return
    answer = ask_model(ctx, "classify", prompt, ReplyClassification)
    said = ReplyClassification.model_validate(answer.output) if answer else NOTHING_SAID
    verdict = settle(said.label, said.confidence, said.quote)
    with ctx.write() as db:
        lock_writer(db, event.response_id)
        response = db.get_one(Response, event.response_id, with_for_update=True, populate_existing=True)
        if response.label is None and response.erased_at is None:  # a person may have been faster
            later = date_of(said.later_date) if verdict.label == "later" else None
            conclude(ctx, db, response, verdict, by="model", model=answer.model if answer else None, later_date=later)
