"""A person answered and the answer was understood: the timeline of the lead's deal says so."""

from somos.events.sdr import ReplyClassified
from somos.mesh import Context, topic
from somos.modules.crm.actions.deal_activities import record_message

LABELS = {
    "interested": "interesse",
    "question": "pergunta",
    "later": "mais tarde",
    "no": "não",
    "wrong_person": "pessoa errada",
    "optout": "não quer mais mensagens",
    "unclear": "a entender",
}


@topic(ReplyClassified)
def on_reply_classified(event: ReplyClassified, ctx: Context) -> None:
    """Automatic answers and bounces are not what a person said."""
    if event.lead_id is None or event.label not in LABELS:
        return
    subject = f"Resposta recebida: {LABELS[event.label]}"
    with ctx.write() as db:
        record_message(db, event.lead_id, "message_received", subject, event.response_id, ctx.now)
