"""A lead answered: what the answer means is now its state."""

from somos.events.sdr import ReplyClassified
from somos.mesh import Context, topic
from somos.modules.hunter.actions import leads


@topic(ReplyClassified)
def on_reply_classified(event: ReplyClassified, ctx: Context) -> None:
    with ctx.write() as db:
        if event.lead_id is not None:
            leads.reply_classified(db, event.lead_id, event.label, ctx.today, event.later_date)
