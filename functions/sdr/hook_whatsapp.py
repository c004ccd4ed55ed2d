"""What WhatsApp reports through Evolution: messages that came, receipts of ours, connections lost and found."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from somos.events.sdr import MessageApproved, MessageSent, PersonSuppressed, ReplyClassified, ReplyStored, StepDue
from somos.mesh import Context, webhook
from somos.modules.sdr.inbox import Arrived, take
from somos.modules.sdr.reporting import report_health, report_receipt, report_sent
from somos.modules.sdr.rules.evolution import RECEIPTS, health_of, read_message


class EvolutionEvent(BaseModel):
    """The envelope; what `data` holds depends on the event, and everything in it is from outside."""

    model_config = ConfigDict(extra="ignore")

    event: str = ""
    instance: str = ""
    data: Any = None


@webhook(
    "/webhook/whatsapp",
    signed_by="evolution",
    emits=[ReplyStored, ReplyClassified, PersonSuppressed, MessageApproved, MessageSent, StepDue],
)
def hook_whatsapp(event: EvolutionEvent, ctx: Context) -> None:
    data = event.data if isinstance(event.data, dict) else {}  # lists are of chats and contacts
    with ctx.write() as db:
        if event.event == "messages.upsert" and (wire := read_message(data)) and not wire.from_me:
            take(
                ctx,
                db,
                Arrived(
                    channel="whatsapp",
                    provider_message_id=wire.provider_id,
                    account=event.instance,
                    from_address=wire.phone or "",
                    from_name=wire.name,
                    jid=wire.jid,
                    lid=wire.lid,
                    text=wire.text,
                    received_at=wire.at or ctx.now,
                ),
            )
        elif event.event == "send.message" and (wire := read_message(data)) and wire.from_me:
            report_sent(ctx, db, event.instance, wire)
        elif event.event == "messages.update" and data.get("fromMe") is True and isinstance(data.get("keyId"), str):
            if receipt := RECEIPTS.get(str(data.get("status"))):
                report_receipt(ctx, db, "whatsapp", data["keyId"], receipt, ctx.now)
        elif event.event in ("connection.update", "status.instance"):
            reason = data.get("statusReason", data.get("disconnectionReasonCode"))
            state = str(data.get("state", data.get("status")))
            if health := health_of(state, reason if isinstance(reason, int) else None):
                report_health(ctx, db, event.instance, health, f"WhatsApp: conexão {state} ({reason})")
