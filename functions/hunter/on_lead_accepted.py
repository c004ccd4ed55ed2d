"""The person wants to talk: the lead waits for its deal, with the owner who will have it."""

from somos.events.sdr import LeadAccepted
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(LeadAccepted)
def on_lead_accepted(event: LeadAccepted, ctx: Context) -> None:
    with ctx.write() as db:
        leads.accepted(db, event.lead_id, event.owner_id)
