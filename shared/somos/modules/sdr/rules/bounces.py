"""Reports of mail that did not arrive: which addresses, and for good or for now (RFC 3463, 3464)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from somos.kernel.emails import normalise_email
from somos.modules.sdr.rules.own_words import plain


@dataclass(frozen=True, slots=True)
class Bounced:
    """One address that a report names; `dead` when nothing will ever arrive there."""

    address: str
    dead: bool


_BOUNCER = re.compile(r"(?i)^(mailer-daemon|postmaster|mail-daemon|maildaemon|bounces?)(\+[^@]*)?@")
_SUBJECT = re.compile(
    r"^\s*(undeliver(ed|able)|delivery status notification|mail delivery (failed|failure|subsystem|delayed)"
    r"|returned mail|failure notice|delivery (has |was )?(failed|failure|delayed|incomplete)|nao foi possivel entregar"
    r"|endereco nao encontrado|message (delivery )?delayed|warning: (could not send|message)|entrega (adiada|atrasada)"
    r"|falha na entrega|mensagem nao entregue|nao e possivel entregar|devolvid[ao]|nao entregue|undelivered)"
)
_RECIPIENT = re.compile(r"(?im)^(?:final|original)-recipient:\s*(?:rfc822;)?\s*<?([^\s<>;]+@[^\s<>;]+)>?")
_ACTION = re.compile(r"(?im)^action:\s*(\w+)")
_STATUS = re.compile(r"(?im)^status:\s*([245])\.(\d{1,3})\.(\d{1,3})")
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_ANY_ADDRESS = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_FOR_NOW = re.compile(
    r"\b(delay(ed)?|will (be )?retr(y|ied)|try(ing)? again|temporar(y|ily|ia|iamente|io)|adiad[ao]|atrasad[ao]"
    r"|novas? tentativas?"
    r"|mailbox (is )?full|over ?quota|quota exceeded|caixa (de (entrada|correio) )?(esta )?cheia|cota excedida"
    r"|greylist\w*|try later|4[2-5]\d[ -])"
)
_FOR_GOOD = re.compile(
    r"\b(user unknown|unknown user|no such (user|recipient|mailbox|address)|does ?n[o']t exist|not found"
    r"|nao (existe|foi encontrad\w+)|address(ee)? (rejected|unknown)|invalid (recipient|mailbox|address)"
    r"|unknown (address|mailbox|recipient)|account (has been )?(disabled|deleted)|mailbox unavailable"
    r"|desconhecid[ao]|inexistente|invalid[ao])"
)


def bounce_sign(from_address: str, subject: str, text: str, headers: Mapping[str, str]) -> str | None:
    """What shows that a mail program reports of mail that did not arrive. Header names are in lower case."""
    if headers.get("x-failed-recipients"):
        return "X-Failed-Recipients"
    actions = {action.lower() for action in _ACTION.findall(text)}
    if actions and actions <= {"delivered", "relayed", "expanded"}:
        return None  # a report of success
    if "report-type=delivery-status" in headers.get("content-type", "").lower().replace('"', ""):
        return "delivery-status"
    if _BOUNCER.match(from_address) and (_SUBJECT.match(plain(subject)) or _RECIPIENT.search(text)):
        return subject.strip()[:200] or "mailer-daemon"
    return None


def bounced(subject: str, text: str, headers: Mapping[str, str]) -> list[Bounced]:
    """The addresses that a bounce is about: of its report one by one, else of its header, else of its text."""
    blocks = _blocks(text)
    if blocks:
        bounces = [Bounced(address, _is_dead(block, subject)) for address, block in blocks]
    else:
        named = _ANY_ADDRESS.findall(headers.get("x-failed-recipients", "")) or _ANY_ADDRESS.findall(text)
        dead = _is_dead(text, subject, failed="x-failed-recipients" in headers)
        bounces = [Bounced(address, dead) for address in _addresses(named)]
    return list({one.address: one for one in bounces}.values())


def is_dead_bounce(kind: str, diagnosis: str) -> bool:
    """Whether a provider's judgement of a bounce (permanent, temporary, undetermined) means a dead address.

    `diagnosis` is what the other server said; its status decides what the word leaves open, and one for now is
    never for good.
    """
    dead = is_dead_status(status_codes(diagnosis))
    if kind == "permanent":
        return dead is not False
    if kind == "temporary":
        return False
    return dead is True


def is_dead_status(classes: Iterable[tuple[str, str, str]]) -> bool | None:
    """Whether enhanced status codes say that the address is dead; None when there is none.

    The class decides, except for what is full, or refuses the mail and not the address, though it says 5.
    """
    codes = list(classes)
    if not codes:
        return None
    return any(kind == "5" and not _not_the_address(subject, detail) for kind, subject, detail in codes)


def status_codes(text: str) -> list[tuple[str, str, str]]:
    """Every enhanced status code that a diagnosis names, as its three parts."""
    return _ENHANCED.findall(text)


def _not_the_address(subject: str, detail: str) -> bool:
    # Mailbox full, mail too large; content; policy and security, which are about who sends.
    return (subject, detail) in (("2", "2"), ("2", "3"), ("3", "4")) or subject in ("6", "7")


def _blocks(text: str) -> list[tuple[str, str]]:
    """Each recipient that a report names with what it says of them; an address named twice in a row is one."""
    recipients = list(_RECIPIENT.finditer(text))
    blocks: list[tuple[str, str]] = []
    for at, one in enumerate(recipients):
        end = recipients[at + 1].start() if at + 1 < len(recipients) else len(text)
        for address in _addresses([one[1]]):
            if blocks and blocks[-1][0] == address:
                blocks[-1] = (address, blocks[-1][1] + text[one.start() : end])
            else:
                blocks.append((address, text[one.start() : end]))
    return blocks


def _addresses(named: Iterable[str]) -> list[str]:
    known = (normalise_email(address) for address in named)
    return list(dict.fromkeys(address for address in known if address and not _BOUNCER.match(address)))


def _is_dead(block: str, subject: str, *, failed: bool = False) -> bool:
    if "delayed" in {action.lower() for action in _ACTION.findall(block)}:
        return False
    dead = is_dead_status(_STATUS.findall(block))
    if dead is None:
        dead = is_dead_status(status_codes(block))
    if dead is not None:
        return dead
    flat = plain(f"{subject}\n{block}")
    if _FOR_GOOD.search(flat):
        return True
    if _FOR_NOW.search(flat):
        return False
    return failed or "failed" in {action.lower() for action in _ACTION.findall(block)}
