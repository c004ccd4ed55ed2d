"""A WhatsApp message as Evolution tells of it, in webhooks and in lists, read into plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# What each acknowledgement says of a message of ours.
RECEIPTS = {
    "SERVER_ACK": "sent",
    "DELIVERY_ACK": "delivered",
    "READ": "read",
    "PLAYED": "read",
    "ERROR": "failed",
}
_KINDS = {
    "audioMessage": "[áudio]",
    "imageMessage": "[imagem]",
    "videoMessage": "[vídeo]",
    "documentMessage": "[documento]",
    "stickerMessage": "[figurinha]",
    "contactMessage": "[contato]",
    "locationMessage": "[localização]",
    "placeholderMessage": "[mensagem que só aparece no celular]",
}
_NOT_PEOPLE = ("@g.us", "@broadcast", "@newsletter")
_CLOSED_FOR_GOOD = (402, 403)


@dataclass(frozen=True, slots=True)
class WireMessage:
    """`phone` is E.164 without certainty about the 9th digit; `lid` is WhatsApp's own id for a hidden number."""

    provider_id: str
    from_me: bool
    jid: str
    phone: str | None
    lid: str | None
    text: str
    name: str | None
    at: datetime | None


def read_message(data: Mapping[str, Any]) -> WireMessage | None:
    """A message between us and one person; None for groups, broadcasts and what is no message at all."""
    key = data.get("key")
    if not isinstance(key, Mapping) or not isinstance(key.get("id"), str) or not key["id"]:
        return None
    jid, other = str(key.get("remoteJid") or ""), str(key.get("remoteJidAlt") or "")
    if "@" not in jid or jid.endswith(_NOT_PEOPLE):
        return None
    ids = (jid, other)
    number = next((id for id in ids if id.endswith("@s.whatsapp.net")), None)
    name = data.get("pushName")
    return WireMessage(
        provider_id=key["id"],
        from_me=key.get("fromMe") is True,
        jid=number or jid,
        phone=phone_of(number) if number else None,
        lid=next((id for id in ids if id.endswith("@lid")), None),
        text=text_of(data.get("message")),
        name=name if isinstance(name, str) and name else None,
        at=moment_of(data.get("messageTimestamp")),
    )


def phone_of(jid: str) -> str:
    """`5511987654321:3@s.whatsapp.net` -> `+5511987654321`."""
    return "+" + jid.split("@")[0].split(":")[0]


def text_of(message: Any) -> str:
    """The words; a caption for a picture, else a note of what it was."""
    if not isinstance(message, Mapping):
        return ""
    if isinstance(message.get("conversation"), str):
        return str(message["conversation"])
    extended = message.get("extendedTextMessage")
    if isinstance(extended, Mapping) and isinstance(extended.get("text"), str):
        return str(extended["text"])
    for kind, note in _KINDS.items():
        found = message.get(kind)
        if found is not None:
            caption = found.get("caption") if isinstance(found, Mapping) else None
            return caption if isinstance(caption, str) and caption else note
    return ""


def moment_of(stamp: Any) -> datetime | None:
    """Unix seconds, as a number, a text or protobuf's halves."""
    if isinstance(stamp, Mapping):
        stamp = stamp.get("low")
    try:
        return datetime.fromtimestamp(int(stamp), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def health_of(state: str, reason: int | None) -> str | None:
    """What a change of connection means for the sender; None while it is only connecting."""
    if state == "open":
        return "ok"
    if state in ("close", "closed", "refused"):
        return "blocked" if reason in _CLOSED_FOR_GOOD else "disconnected"
    return None
