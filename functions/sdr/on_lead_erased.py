"""A lead was erased: what was said with it goes too, and a person who asked for it is never written to again.

What the pipeline holds of a client stays there: a deal has a ground of its own to be kept.
"""

from somos.events.hunter import LeadErased
from somos.mesh import Context, topic
from somos.modules.hunter.queries import leads as hunter
from somos.modules.sdr.actions.leads import erase
from somos.modules.sdr.actions.people import silence
from somos.modules.sdr.queries.people import known_by_leads


@topic(LeadErased)
def on_lead_erased(event: LeadErased, ctx: Context) -> None:
    with ctx.write() as db:
        known = known_by_leads(db, [event.lead_id])
        keys = hunter.person_keys(db, event.lead_id)
        keys |= dict.fromkeys(known.phones, "phone") | dict.fromkeys(known.emails, "email")
        asked = event.why == "request"
        if asked:
            silence(ctx, db, keys, source="erasure")
        erase(db, event.lead_id, keys, ctx.now, unmatched=asked)
