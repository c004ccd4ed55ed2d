"""Write one draft and put it before a person. The model reads; it holds no way to send."""

from somos.events.sdr import DraftWanted
from somos.mesh import Context, topic
from somos.mesh.queues import AGENTS
from somos.modules.sdr.actions.approvals import ask
from somos.modules.sdr.actions.campaigns import settle_lead
from somos.modules.sdr.actions.drafts import put_draft
from somos.modules.sdr.actions.enrolments import stop_enrolment
from somos.modules.sdr.actions.messages import cancel, locked
from somos.modules.sdr.actions.model_answers import ask_model
from somos.modules.sdr.queries.drafts import OutreachDraft, draft_request
from somos.modules.sdr.queries.senders import switches_on
from somos.modules.sdr.tables.enrolments import Enrolment
from somos.modules.sdr.tables.senders import Sender
from somos.ports.llm import Llm


@topic(DraftWanted, calls=[Llm], queue=AGENTS, timeout=90)
def on_draft_wanted(event: DraftWanted, ctx: Context) -> None:
    stopped, request = ctx.read(lambda db: (switches_on(db, "", "agent"), draft_request(db, event.message_id)))
    if stopped:
        ctx.later(600, "o agente está parado")
    answer = None
    if request is not None:
        answer = ask_model(ctx, "draft", request.prompt, OutreachDraft)
    with ctx.write() as db:
        message = locked(ctx, event.message_id)
        if message is None:
            return
        reason = None
        if request is None or message.state != "drafted":
            reason = message.ended_reason or "A mensagem deixou de ser necessária."
        elif answer is None:
            reason = "O modelo não quis escrever esta mensagem."
            cancel(ctx, message, reason)
            stop_enrolment(db.get(Enrolment, message.enrolment_id), "stopped_manual", reason)
        else:
            put_draft(message, request, answer, ctx.settings, ctx.now)
            ask(db, message, db.get_one(Sender, message.sender_id), "agent:sdr", ctx.now)
            ctx.notify("outreach.drafted", {"message_id": message.id, "lead_id": message.lead_id}, role="Diretor")
        if message.campaign_id and message.kind == "first_contact":
            settle_lead(ctx, message.campaign_id, message.lead_id, reason)
