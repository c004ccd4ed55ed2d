"""Ask for the words of a mail once more; when they do not come at all, a person is told again."""

from somos.events.sdr import MailUnread
from somos.mesh import Context, topic
from somos.modules.sdr.actions.mails import arrived, ask_again, fetched, read_again
from somos.modules.sdr.queries.responses import unread_envelope
from somos.ports.email import Email


@topic(MailUnread, calls=[Email])
def on_mail_unread(event: MailUnread, ctx: Context) -> None:
    envelope = ctx.read(unread_envelope, event.response_id)
    if envelope is None:
        return
    mail = fetched(ctx, envelope.provider_message_id)
    with ctx.write():
        if mail is not None:
            read_again(ctx, event.response_id, arrived(envelope, mail))
        elif not ask_again(ctx, event.response_id, event.tried):
            ctx.notify("reply.unread", {"response_id": event.response_id, "channel": "email"}, role="Diretor")
