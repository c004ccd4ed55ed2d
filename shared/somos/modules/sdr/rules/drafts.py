"""What code adds to and demands of a draft, whoever wrote it."""

import base64
import hashlib
import hmac
import re
from uuid import UUID

MAX_TEXT = {"whatsapp": 1200, "email": 6000, "linkedin": 1900}
MAX_SUBJECT = 150
UNSUBSCRIBE_PATH = "/api/v1/unsubscribe/"
_WAYS_OUT = {
    "email": (UNSUBSCRIBE_PATH, "Falta o link para não receber mais mensagens."),
    "whatsapp": ("PARAR", "Falta dizer que a pessoa pode responder PARAR."),
}
_PLACEHOLDER = re.compile(r"\[[^\]\n]{1,40}\]|\{\{?[^}\n]{1,40}\}\}?|<[a-zçãáéíóúâêô_ ]{2,30}>|\bX{3,}\b", re.I)


def problems(channel: str, subject: str | None, text: str, *, way_out: bool = False) -> list[str]:
    """What a person must fix before approving, in Portuguese; `way_out` demands the way to say no."""
    wrong: list[str] = []
    if not text.strip():
        wrong.append("O texto está vazio.")
    if len(text) > MAX_TEXT[channel]:
        wrong.append(f"O texto passa de {MAX_TEXT[channel]} caracteres.")
    if channel == "email" and not (subject or "").strip():
        wrong.append("O e-mail precisa de um assunto.")
    if subject and (len(subject) > MAX_SUBJECT or "\n" in subject or "\r" in subject):
        wrong.append(f"O assunto deve ter uma linha de até {MAX_SUBJECT} caracteres.")
    if way_out and (sign := _WAYS_OUT.get(channel)) and sign[0] not in text:
        wrong.append(sign[1])
    if blank := _PLACEHOLDER.search(f"{subject or ''}\n{text}"):
        wrong.append(f"Há um campo por preencher: {blank[0]}")
    return wrong


def with_way_out(channel: str, text: str, link: str) -> str:
    """The text with the way to say no, which is part of what is approved."""
    text = text.strip()
    if channel == "email" and link not in text:
        return f"{text}\n\n--\nSe preferir não receber mensagens nossas, clique aqui: {link}"
    if channel == "whatsapp" and "PARAR" not in text:
        return f"{text}\n\nSe preferir não receber mensagens, responda PARAR."
    return text


def unsubscribe_token(secret: str, message_id: UUID) -> str:
    """Names the message and proves that we made it; works for ever, holds no personal data."""
    return base64.urlsafe_b64encode(message_id.bytes + _mark(secret, message_id)).decode().rstrip("=")


def read_unsubscribe_token(secret: str, token: str) -> UUID | None:
    """The message of a token that we made, or None."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    if len(raw) != 32:
        return None
    message_id = UUID(bytes=raw[:16])
    return message_id if hmac.compare_digest(raw[16:], _mark(secret, message_id)) else None


def _mark(secret: str, message_id: UUID) -> bytes:
    return hmac.new(secret.encode(), b"unsubscribe:" + message_id.bytes, hashlib.sha256).digest()[:16]


def unsubscribe_link(public_url: str, secret: str, message_id: UUID) -> str:
    return f"{public_url.rstrip('/')}{UNSUBSCRIBE_PATH}{unsubscribe_token(secret, message_id)}"


def unsubscribe_headers(link: str) -> dict[str, str]:
    """One click in the mail program is enough (RFC 8058)."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
