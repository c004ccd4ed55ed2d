"""Ask the model what an answer means, when rules could not tell; below the limit, a person is asked."""

from somos.events.sdr import MessageApproved, PersonSuppressed, ReplyClassified, ReplyStored
from somos.mesh import Context, topic
from somos.modules.sdr import inbox
from somos.modules.sdr.asking_model import ask_model
from somos.modules.sdr.rules.inbound import settle
from somos.modules.sdr.tables import Response
from somos.ports.llm import Llm


@topic(
    ReplyStored,
    emits=[ReplyClassified, PersonSuppressed, MessageApproved],
    calls=[Llm],
    queue="agents",
    timeout=90,
)
def on_reply_stored(event: ReplyStored, ctx: Context) -> None:
    prompt = ctx.read(inbox.to_classify, event.response_id, ctx.today)
    if prompt is None:
        return
    answer = ask_model(ctx, "classify", prompt, inbox.ReplyClassification)
    said = inbox.ReplyClassification.model_validate(answer.output) if answer else inbox.NOTHING_SAID
    verdict = settle(said.label, said.confidence, said.quote)
    with ctx.write() as db:
        inbox.lock_person(db, event.response_id)
        response = db.get_one(Response, event.response_id, with_for_update=True, populate_existing=True)
        if response.label is None and response.erased_at is None:  # a person may have been faster
            later = inbox.date_of(said.later_date) if verdict.label == "later" else None
            inbox.conclude(
                ctx, db, response, verdict, by="model", model=answer.model if answer else None, later_date=later
            )
