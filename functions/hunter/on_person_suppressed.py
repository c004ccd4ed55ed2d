"""Somebody asked to be left alone: every lead with that address is blocked, for good."""

from somos.events.hunter import LeadSettled
from somos.events.sdr import PersonSuppressed
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(PersonSuppressed)
def on_person_suppressed(event: PersonSuppressed, ctx: Context) -> None:
    with ctx.write() as db:
        for lead in leads.suppressed(db, event.person_key):
            ctx.emit(LeadSettled(lead_id=lead.lead_id, session_id=lead.session_id, outcome="blocked"))
