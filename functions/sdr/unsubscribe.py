"""The link and the one-click header by which anyone stops our messages, without signing in."""

from somos.events.sdr import PersonSuppressed
from somos.mesh import Context, NotFound, View, http
from somos.modules.sdr import people
from somos.modules.sdr.rules.drafts import read_unsubscribe_token
from somos.modules.sdr.silencing import silence
from somos.modules.sdr.tables import OutreachMessage


class Unsubscribed(View):
    """`done` is false until it is confirmed with a POST: mail scanners open links, people press buttons."""

    done: bool
    message: str


@http.get("/api/v1/unsubscribe/{token}", allow="anyone")
def unsubscribe_ask(token: str, ctx: Context) -> Unsubscribed:
    _message(ctx, token)
    return Unsubscribed(done=False, message="Confirme para não receber mais nenhuma mensagem nossa.")


@http.post("/api/v1/unsubscribe/{token}", allow="anyone", emits=[PersonSuppressed], status=200)
def unsubscribe_confirm(token: str, ctx: Context) -> Unsubscribed:
    """RFC 8058: one POST is enough, whatever its body says, and however often it comes."""
    message = _message(ctx, token)
    given = {key: kind for key, kind in ((message.phone_key, "phone"), (message.email_key, "email")) if key}
    silence(ctx, ctx.db, given, source="link", channel=message.channel, message_id=message.id)
    return Unsubscribed(done=True, message="Pronto: você não receberá mais mensagens nossas.")


def _message(ctx: Context, token: str) -> OutreachMessage:
    message_id = read_unsubscribe_token(ctx.settings.suppression_key, token)
    message = ctx.db.get(OutreachMessage, message_id) if message_id else None
    if message is None or not people.keys_of(message):
        raise NotFound
    return message
