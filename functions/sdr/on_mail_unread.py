"""Ask for the words of a mail once more; when they do not come at all, a person is told again."""

from sqlalchemy.orm import Session

from somos.events.sdr import MailUnread
from somos.mesh import Context, topic
from somos.modules.sdr.actions.mails import arrived, ask_again, fetched, read_again
from somos.modules.sdr.queries.responses import Arrived, envelope
from somos.modules.sdr.tables import Response
from somos.ports.email import Email


@topic(MailUnread, calls=[Email])
def on_mail_unread(event: MailUnread, ctx: Context) -> None:
    envelope = ctx.read(_envelope, event)
    if envelope is None:
        return
    mail = fetched(ctx, envelope.provider_message_id)
    with ctx.write() as db:
        if mail is not None:
            read_again(ctx, db, event.response_id, arrived(envelope, mail))
        elif not ask_again(ctx, event.response_id, event.tried):
            ctx.notify("reply.unread", {"response_id": event.response_id, "channel": "email"}, role="Diretor")


def _envelope(db: Session, event: MailUnread) -> Arrived | None:
    """What is known of the mail, unless it was read or forgotten meanwhile."""
    response = db.get(Response, event.response_id)
    if response is None or response.text or response.erased_at is not None:
        return None
    return envelope(response)
