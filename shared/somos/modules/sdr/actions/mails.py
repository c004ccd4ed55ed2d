"""Mail that came in: its words are fetched; what cannot be read is kept as unread, and read again later."""

from datetime import timedelta
from email.utils import parseaddr
from uuid import UUID

from somos.events.sdr import MailUnread
from somos.mesh import Context
from somos.modules.sdr.actions.responses import erase_response, kept_text, match, receive, settle, settle_by_rules
from somos.modules.sdr.queries.responses import Arrived, as_inbound
from somos.modules.sdr.rules.inbound import by_rules
from somos.modules.sdr.rules.message_ids import answered_ids
from somos.modules.sdr.tables.responses import Response
from somos.ports.email import Email, ReceivedEmail
from somos.ports.errors import OutsideError

# After each of these the mail is asked for once more; then only a person can say what it was.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720, 1440, 2880))


def fetched(ctx: Context, email_id: str) -> ReceivedEmail | None:
    """The mail, or None while the provider does not give it, whatever the reason.

    A read changes nothing outside, so it needs no journal, which would keep everybody's words once more.
    """
    try:
        mail = ctx.port(Email).received(email_id=email_id)
    except OutsideError as error:
        ctx.log.warning("received_mail_unreadable", email_id=email_id, error=error.code)
        return None
    if mail is None:
        ctx.log.warning("received_mail_gone", email_id=email_id)
    return mail


def arrived(envelope: Arrived, mail: ReceivedEmail) -> Arrived:
    """The same mail with its words and headers."""
    name, address = parseaddr(mail.sender)
    return Arrived(
        channel="email",
        provider_message_id=envelope.provider_message_id,
        account=envelope.account,
        from_address=address or envelope.from_address,
        from_name=name or envelope.from_name,
        subject=mail.subject or envelope.subject,
        text=mail.text,
        answered_ids=tuple(answered_ids(mail.headers.get("in-reply-to"), mail.headers.get("references"))),
        headers=mail.headers,
        received_at=envelope.received_at,
    )


def keep_unread(ctx: Context, envelope: Arrived) -> None:
    """Store that a mail came: what would leave to who wrote it waits, a person is told, it is asked for again."""
    response_id = receive(ctx, envelope)
    if response_id is not None:
        ask_again(ctx, response_id, 0)


def ask_again(ctx: Context, response_id: UUID, tried: int) -> bool:
    """Ask for the mail once more after a while; False when it was tried often enough."""
    if tried >= len(WAITS):
        return False
    ctx.emit(MailUnread(response_id=response_id, tried=tried + 1), after=ctx.now + WAITS[tried])
    return True


def read_again(ctx: Context, response_id: UUID, mail: Arrived) -> None:
    """Give a stored mail its words, and act on them; what a person said of it meanwhile stays, but for an opt-out."""
    writer = match(ctx, mail)
    response = ctx.db.get_one(Response, response_id, with_for_update=True, populate_existing=True)
    if response.erased_at is not None or response.text:
        return
    if writer.erased:
        erase_response(response, ctx.now)
        return
    if response.message_id is None and response.lead_id is None and writer.answered is not None:
        response.lead_id, response.message_id = writer.answered.lead_id, writer.answered.id
        response.campaign_id = writer.answered.campaign_id
    response.from_key, response.from_address = writer.key or response.from_key, writer.address or response.from_address
    response.from_name, response.subject = (mail.from_name or "")[:200] or None, (mail.subject or "")[:500] or None
    response.answered_ids, response.headers = list(mail.answered_ids), mail.headers or None
    response.text = kept_text(mail)
    if response.label is None:
        response.state = "matched" if response.lead_id else "unmatched"
        ctx.db.flush()
        settle_by_rules(ctx, response)
        return
    verdict = by_rules(as_inbound(response))
    if verdict is not None and verdict.label == "optout":
        settle(ctx, response, verdict, by="rule")
