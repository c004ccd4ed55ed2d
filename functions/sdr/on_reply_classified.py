"""What follows from an answer: a deal for who wants to talk, a person for what is unclear, word to the owner."""

from somos.events.sdr import LeadAccepted, ReplyClassified
from somos.mesh import Context, topic
from somos.modules.sdr.actions.enrolments import announce_stop
from somos.modules.sdr.actions.leads import accept
from somos.modules.sdr.actions.responses import lock_writer
from somos.modules.sdr.actions.suppressions import reconsent
from somos.modules.sdr.queries.responses import owner_of
from somos.modules.sdr.rules.inbound import MACHINE
from somos.modules.sdr.tables import OutreachMessage, Response

WANTS_TO_TALK = ("interested", "question")


@topic(ReplyClassified)
def on_reply_classified(event: ReplyClassified, ctx: Context) -> None:
    with ctx.write() as db:
        lock_writer(db, event.response_id)
        response = db.get_one(Response, event.response_id, with_for_update=True, populate_existing=True)
        if response.label != event.label or response.state == "handled":
            return  # classified anew since, or done
        owner_id = owner_of(db, response)
        if response.label in WANTS_TO_TALK:
            reconsent(db, response, ctx.now)
        if response.label == "interested" and response.lead_id and owner_id and accept(db, response, owner_id):
            ctx.emit(
                LeadAccepted(
                    lead_id=response.lead_id,
                    owner_id=owner_id,
                    response_id=response.id,
                    campaign_id=response.campaign_id,
                    channel=response.channel,
                )
            )
        if response.label not in MACHINE and owner_id:
            told = {"response_id": response.id, "lead_id": response.lead_id, "label": response.label}
            ctx.notify("reply.received", told, to=owner_id)
        if response.label == "unclear":
            ctx.notify("reply.unclear", {"response_id": response.id}, role="Diretor")
            return
        if response.label == "optout" and response.lead_id is None and response.from_key is None:
            # Somebody refuses, and nothing says who: it stays open until a person finds out.
            ctx.notify("reply.unidentified-refusal", {"response_id": response.id}, role="Diretor")
            return
        response.state, response.handled_at = "handled", ctx.now
        answered = db.get(OutreachMessage, response.message_id) if response.message_id else None
        if answered is not None and response.label in (*WANTS_TO_TALK, "later"):
            announce_stop(ctx, db, answered.enrolment_id)
