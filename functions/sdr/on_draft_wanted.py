"""Write one draft and put it before a person. The model reads; it holds no way to send."""

from somos.events.sdr import DraftWanted
from somos.mesh import Context, topic
from somos.modules.sdr import campaigns, drafting
from somos.modules.sdr.asking import ask
from somos.modules.sdr.facts import switches_on
from somos.modules.sdr.rules.drafts import with_way_out
from somos.modules.sdr.sending import locked
from somos.modules.sdr.tables import Sender
from somos.ports.llm import Llm


@topic(DraftWanted, calls=[Llm], queue="agents", timeout=90)
def on_draft_wanted(event: DraftWanted, ctx: Context) -> None:
    if ctx.read(switches_on, "", "agent"):
        ctx.later(600, "the agent is stopped")
    wanted = ctx.read(drafting.wanted, event.message_id)
    answer = None
    if wanted is not None:
        answer = ctx.once("draft", ctx.port(Llm).ask, prompt=wanted.prompt, output=drafting.OutreachDraft)
    with ctx.write() as db:
        message = locked(db, event.message_id)
        if message is None:
            return
        if wanted is None or answer is None or message.state != "drafted":
            reason = message.ended_reason or "A mensagem deixou de ser necessária."
        else:
            reason = None
            draft = drafting.OutreachDraft.model_validate(answer.output)
            link = drafting.unsubscribe_link(ctx.settings.public_url, ctx.settings.suppression_key, message.id)
            text = draft.text if message.kind == "reply" else with_way_out(message.channel, draft.text, link)
            drafting.put_text(message, draft.subject, text, ctx.now)
            message.drafted_text, message.evidence = message.text, wanted.evidence
            message.model, message.prompt_version = answer.model, wanted.prompt.version
            message.tokens_in, message.tokens_out = answer.tokens_in, answer.tokens_out
            ask(db, message, db.get_one(Sender, message.sender_id), "agent:sdr", ctx.now)
            ctx.notify("outreach.drafted", {"message_id": message.id, "lead_id": message.lead_id}, role="Diretor")
        if message.campaign_id and message.kind == "first_contact":
            campaigns.settle_lead(ctx, db, message.campaign_id, message.lead_id, reason)
