"""Write one draft and put it before a person. The model reads; it holds no way to send."""

from somos.events.sdr import DraftWanted
from somos.mesh import Context, topic
from somos.modules.sdr import campaigns, drafting
from somos.modules.sdr.asking import ask
from somos.modules.sdr.asking_model import ask_model
from somos.modules.sdr.facts import switches_on
from somos.modules.sdr.sending import locked
from somos.modules.sdr.stopping import cancel, stop_enrolment
from somos.modules.sdr.tables import Enrolment, Sender
from somos.ports.llm import Llm


@topic(DraftWanted, calls=[Llm], queue="agents", timeout=90)
def on_draft_wanted(event: DraftWanted, ctx: Context) -> None:
    if ctx.read(switches_on, "", "agent"):
        ctx.later(600, "o agente está parado")
    wanted = ctx.read(drafting.wanted, event.message_id)
    answer = None
    if wanted is not None:
        answer = ask_model(ctx, "draft", wanted.prompt, drafting.OutreachDraft)
    with ctx.write() as db:
        message = locked(db, event.message_id)
        if message is None:
            return
        reason = None
        if wanted is None or message.state != "drafted":
            reason = message.ended_reason or "A mensagem deixou de ser necessária."
        elif answer is None:
            reason = "O modelo não quis escrever esta mensagem."
            cancel(db, message, reason, ctx.now)
            stop_enrolment(db.get(Enrolment, message.enrolment_id), "stopped_manual", reason)
        else:
            drafting.put_draft(message, wanted, answer, ctx.settings, ctx.now)
            ask(db, message, db.get_one(Sender, message.sender_id), "agent:sdr", ctx.now)
            ctx.notify("outreach.drafted", {"message_id": message.id, "lead_id": message.lead_id}, role="Diretor")
        if message.campaign_id and message.kind == "first_contact":
            campaigns.settle_lead(ctx, db, message.campaign_id, message.lead_id, reason)
