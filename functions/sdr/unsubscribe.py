"""The link and the one-click header by which anyone stops our messages, without signing in."""

from somos.mesh import Context, Download, NotFound, http
from somos.modules.sdr.actions.people import silence
from somos.modules.sdr.rules.drafts import read_unsubscribe_token
from somos.modules.sdr.tables.messages import OutreachMessage

# The two pages hold no data of anybody and load nothing.
_PAGE = """<!doctype html>
<html lang="pt-BR">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Não receber mais mensagens</title>
<style>
body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1.5rem; color: #222 }}
button {{ font: inherit; padding: .6rem 1.4rem; border: 0; border-radius: .5rem; background: #222; color: #fff }}
</style>
</head>
<body><main>{body}</main></body>
</html>
"""

_CONFIRM = """<h1>Não receber mais mensagens</h1>
<p>Ao confirmar, a Somos não escreve mais a você, em nenhum canal.</p>
<form method="post"><button type="submit">Confirmar</button></form>"""

_DONE = """<h1>Pronto</h1>
<p>Você não receberá mais mensagens da Somos.</p>"""


@http.get("/api/v1/unsubscribe/{token}", allow="anyone")
def unsubscribe_ask(token: str, ctx: Context) -> Download:
    """A page with a button, and nothing done yet: mail scanners open links, people press buttons."""
    _message(ctx, token)
    return _page(_CONFIRM)


@http.post("/api/v1/unsubscribe/{token}", allow="anyone", status=200)
def unsubscribe_confirm(token: str, ctx: Context) -> Download:
    """RFC 8058: one POST is enough, whatever its body says, and however often it comes."""
    message = _message(ctx, token)
    given = {key: kind for key, kind in ((message.phone_key, "phone"), (message.email_key, "email")) if key}
    silence(ctx, given, source="link", channel=message.channel, message_id=message.id)
    return _page(_DONE)


def _message(ctx: Context, token: str) -> OutreachMessage:
    message_id = read_unsubscribe_token(ctx.settings.suppression_key, token)
    message = ctx.db.get(OutreachMessage, message_id) if message_id else None
    if message is None or not (message.phone_key or message.email_key):
        raise NotFound
    return message


def _page(body: str) -> Download:
    return Download(_PAGE.format(body=body).encode(), "text/html; charset=utf-8")
