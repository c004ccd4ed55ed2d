"""Read what was said on each WhatsApp number lately: webhooks get lost, and an opt-out must not.

A read changes nothing outside, so it needs no journal, which would keep everybody's words once more.
"""

from datetime import timedelta

from somos.mesh import Context, cron
from somos.modules.sdr.actions.chats import MAX_PAGES, lock_writers, record_news
from somos.modules.sdr.actions.senders import note_pulled
from somos.modules.sdr.queries.senders import accounts_to_read
from somos.ports.errors import OutsideError
from somos.ports.whatsapp import ChatMessage, Whatsapp

OVERLAP = timedelta(hours=1)


@cron("*/5 * * * *", calls=[Whatsapp], timeout=120)
def every_whatsapp_pull(ctx: Context) -> None:
    messages: list[tuple[str, ChatMessage]] = []
    read: list[str] = []
    for account, since in ctx.read(accounts_to_read, ctx.now):
        try:
            for page in range(1, MAX_PAGES + 1):
                page_of_messages = ctx.port(Whatsapp).messages(instance=account, page=page)
                recent = [m for m in page_of_messages.messages if m.at is None or m.at >= since - OVERLAP]
                messages += [(account, m) for m in recent]
                if page_of_messages.next_page is None or len(recent) < len(page_of_messages.messages):
                    break
            read.append(account)
        except OutsideError as error:
            ctx.log.warning("whatsapp_pull_failed", account=account, error=error.code)
    with ctx.write():
        lock_writers(ctx, [message for _, message in messages])
        for account, message in messages:
            record_news(ctx, account, message)
        note_pulled(ctx, read)
