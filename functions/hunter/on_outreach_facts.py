"""What outreach states of a lead: it was written to, it answered, it wants to talk, it asked to be left alone."""

from somos.events.hunter import LeadSettled
from somos.events.sdr import LeadAccepted, MessageSent, PersonSuppressed, ReplyClassified
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(MessageSent)
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    """It is in cadence now, and no longer erased for lack of contact."""
    with ctx.write() as db:
        leads.message_sent(db, event.lead_id, ctx.now)


@topic(ReplyClassified)
def on_reply_classified(event: ReplyClassified, ctx: Context) -> None:
    """What the answer means is now its state."""
    with ctx.write() as db:
        if event.lead_id is not None:
            leads.reply_classified(db, event.lead_id, event.label, ctx.today, event.later_date)


@topic(LeadAccepted)
def on_lead_accepted(event: LeadAccepted, ctx: Context) -> None:
    """It waits for its deal, with the owner who will have it."""
    with ctx.write() as db:
        leads.accepted(db, event.lead_id, event.owner_id)


@topic(PersonSuppressed)
def on_person_suppressed(event: PersonSuppressed, ctx: Context) -> None:
    """Every lead with that address is blocked, for good."""
    with ctx.write() as db:
        for lead in leads.suppressed(db, event.person_key):
            ctx.emit(LeadSettled(lead_id=lead.lead_id, session_id=lead.session_id, outcome="blocked"))
