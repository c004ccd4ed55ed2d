"""Messages nobody can tell of: look for them in WhatsApp's own list; what is not found waits for a person."""

from somos.events.sdr import MessageSent
from somos.mesh import Context, cron
from somos.modules.sdr.finding import as_wire, missing_messages, park_stuck
from somos.modules.sdr.reporting import report_sent
from somos.ports.errors import OutsideError
from somos.ports.whatsapp import ChatMessage, Whatsapp


@cron("*/10 * * * *", emits=[MessageSent], calls=[Whatsapp], timeout=120)
def every_unknown_messages(ctx: Context) -> None:
    found: list[tuple[str, ChatMessage]] = []
    for missing in ctx.read(missing_messages, ctx.now):
        try:
            page = ctx.port(Whatsapp).messages(instance=missing.account, jid=missing.jid)
        except OutsideError as error:
            ctx.log.warning("look-up-failed", message_id=missing.message_id, error=error.code)
            continue
        found += [(missing.account, said) for said in page.messages if missing.is_this(said)]
    with ctx.write() as db:
        for account, said in found:
            report_sent(ctx, db, account, as_wire(said))
        if parked := park_stuck(db, ctx.now):
            ctx.notify("outreach.unknown", {"count": parked}, role="Diretor")
