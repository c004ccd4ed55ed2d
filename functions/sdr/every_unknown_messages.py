"""Messages nobody can tell of: look for them in WhatsApp's own list; what is not found waits for a person.

Nor can anybody tell of those that were taken and never confirmed: a person looks at the phone.
"""

from uuid import UUID

from somos.events.sdr import MessageApproved
from somos.mesh import Context, cron
from somos.modules.sdr.actions.messages import note_unconfirmed, settle_stuck
from somos.modules.sdr.actions.provider_reports import report_sent
from somos.modules.sdr.queries.messages import missing_messages, stuck_messages
from somos.modules.sdr.queries.people import lock_people
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.ports.errors import OutsideError
from somos.ports.whatsapp import ChatMessage, Whatsapp


@cron("*/10 * * * *", calls=[Whatsapp], timeout=120)
def every_unknown_messages(ctx: Context) -> None:
    sightings: list[tuple[UUID, str, ChatMessage]] = []
    for missing in ctx.read(missing_messages, ctx.now):
        try:
            page = ctx.port(Whatsapp).messages(instance=missing.account, jid=missing.jid)
        except OutsideError as error:
            ctx.log.warning("message_lookup_failed", message_id=missing.message_id, error=error.code)
            continue
        sightings += [(missing.message_id, missing.account, seen) for seen in page.messages if missing.is_this(seen)]
    with ctx.write() as db:
        stuck = stuck_messages(db, ctx.now)
        lock_people(db, OutreachMessage, [*(message_id for message_id, _, _ in sightings), *stuck.all])
        for _, account, seen in sightings:
            report_sent(ctx, account, seen)
        again, parked = settle_stuck(ctx, stuck)
        for message_id in again:
            ctx.emit(MessageApproved(message_id=message_id))
        if parked:
            ctx.notify("outreach.unknown", {"count": len(parked)}, role="Diretor")
        if silent := note_unconfirmed(ctx):
            ctx.log.warning("messages_unconfirmed", count=len(silent))
            ctx.notify("outreach.unconfirmed", {"message_ids": silent[:20], "count": len(silent)}, role="Diretor")
