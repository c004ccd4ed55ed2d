"""People: what their answer means, that a deal is open, that they are to be forgotten or left alone."""

from somos.events.crm import DealOpened
from somos.events.hunter import LeadErased
from somos.events.sdr import PersonErased, ReplyClassified, SuppressionWanted
from somos.mesh import Context, topic
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.actions.enrolments import announce_stop
from somos.modules.sdr.actions.leads import accept, erase
from somos.modules.sdr.actions.people import silence, stop_person
from somos.modules.sdr.actions.responses import locked
from somos.modules.sdr.actions.suppressions import reconsent
from somos.modules.sdr.queries.people import PERSON, known_by_leads
from somos.modules.sdr.queries.responses import owner_of
from somos.modules.sdr.rules.inbound import MACHINE, WANTS_TO_TALK
from somos.modules.sdr.tables.messages import OutreachMessage

DEAL_OPEN = "Há um negócio em andamento com a empresa."


@topic(ReplyClassified)
def on_reply_classified(event: ReplyClassified, ctx: Context) -> None:
    """A deal for who wants to talk, a person for what is unclear, word to the owner."""
    with ctx.write() as db:
        response = locked(ctx, event.response_id)
        if response.label != event.label or response.state == "handled":
            return  # classified anew since, or done
        owner_id = owner_of(db, response)
        if response.label in WANTS_TO_TALK:
            reconsent(ctx, response)
        if response.label == "interested" and owner_id:
            accept(ctx, response, owner_id)
        if response.label not in MACHINE and owner_id:
            received = {"response_id": response.id, "lead_id": response.lead_id, "label": response.label}
            ctx.notify("reply.received", received, to=owner_id)
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
            announce_stop(ctx, answered.enrolment_id)


@topic(DealOpened)
def on_deal_opened(event: DealOpened, ctx: Context) -> None:
    """A person talks to them now, so no cadence does."""
    if event.lead_id is None:
        return
    with ctx.write() as db:
        known = known_by_leads(db, [event.lead_id])
        ctx.lock(PERSON, known.keys)
        stop_person(ctx, known.keys, "stopped_deal", DEAL_OPEN, conversations=False)


@topic(LeadErased)
def on_lead_erased(event: LeadErased, ctx: Context) -> None:
    """What was said with the lead goes too, and a person who asked for it is never written to again.

    What the pipeline holds of a client stays there: a deal has a ground of its own to be kept.
    """
    with ctx.write() as db:
        known = known_by_leads(db, [event.lead_id])
        keys = hunter.person_keys(db, event.lead_id)
        keys |= dict.fromkeys(known.phones, "phone") | dict.fromkeys(known.emails, "email")
        on_request = event.why == "request"
        if on_request:
            silence(ctx, keys, source="erasure")
        erase(ctx, event.lead_id, keys, unmatched=on_request)
        if keys:
            ctx.emit(PersonErased(keys=sorted(keys)))


@topic(SuppressionWanted)
def on_suppression_wanted(event: SuppressionWanted, ctx: Context) -> None:
    """A file said never to write to somebody: they are suppressed, and what was on its way to them ends."""
    with ctx.write():
        silence(ctx, dict(event.keys), source="manual", reason=event.reason, added_by=ctx.actor_id)
