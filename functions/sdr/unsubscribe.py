"""The link and the one-click header by which anyone stops our messages, without signing in."""

from somos.events.sdr import PersonSuppressed
from somos.mesh import Context, Download, NotFound, http
from somos.modules.sdr.pages import CONFIRM, DONE, page
from somos.modules.sdr.rules.drafts import read_unsubscribe_token
from somos.modules.sdr.silencing import silence
from somos.modules.sdr.tables import OutreachMessage


@http.get("/api/v1/unsubscribe/{token}", allow="anyone")
def unsubscribe_ask(token: str, ctx: Context) -> Download:
    """A page with a button, and nothing done yet: mail scanners open links, people press buttons."""
    _message(ctx, token)
    return page(CONFIRM)


@http.post("/api/v1/unsubscribe/{token}", allow="anyone", emits=[PersonSuppressed], status=200)
def unsubscribe_confirm(token: str, ctx: Context) -> Download:
    """RFC 8058: one POST is enough, whatever its body says, and however often it comes."""
    message = _message(ctx, token)
    given = {key: kind for key, kind in ((message.phone_key, "phone"), (message.email_key, "email")) if key}
    silence(ctx, ctx.db, given, source="link", channel=message.channel, message_id=message.id)
    return page(DONE)


def _message(ctx: Context, token: str) -> OutreachMessage:
    message_id = read_unsubscribe_token(ctx.settings.suppression_key, token)
    message = ctx.db.get(OutreachMessage, message_id) if message_id else None
    if message is None or not (message.phone_key or message.email_key):
        raise NotFound
    return message
