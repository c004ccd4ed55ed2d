"""One WhatsApp message as Evolution tells of it, in webhooks and in lists, read into a `ChatMessage`.

Evolution passes on what Baileys decodes, whatever it is, so everything here may be missing or of another type.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from somos.ports.whatsapp import ChatMessage

_NOT_PEOPLE = ("@g.us", "@broadcast", "@newsletter", "@bot")
_NUMBERS = ("@s.whatsapp.net", "@c.us", "@hosted")
_HIDDEN = ("@lid", "@hosted.lid")
# Where a key names the other person; which of them is set, and whether to a number or a hidden id, changed with
# nearly every version. `sender...` is whoever wrote, so for our own messages that is us.
_THEIRS = ("remoteJid", "remoteJidAlt", "previousRemoteJid", "recipientPn", "recipientLid")
_WRITERS = ("senderPn", "senderLid", "participantPn", "participantAlt", "participantLid", "participant")

# What the person saw on what they pressed comes before the id behind it.
_WORDS: tuple[tuple[str, ...], ...] = (
    ("conversation",),
    ("extendedTextMessage", "text"),
    ("buttonsResponseMessage", "selectedDisplayText"),
    ("buttonsResponseMessage", "selectedButtonId"),
    ("templateButtonReplyMessage", "selectedDisplayText"),
    ("templateButtonReplyMessage", "selectedId"),
    ("listResponseMessage", "title"),
    ("listResponseMessage", "singleSelectReply", "selectedRowId"),
    ("interactiveResponseMessage", "body", "text"),
    ("imageMessage", "caption"),
    ("videoMessage", "caption"),
    ("ptvMessage", "caption"),
    ("documentMessage", "caption"),
    ("liveLocationMessage", "caption"),
    ("groupInviteMessage", "caption"),
    ("productMessage", "body"),
    ("orderMessage", "message"),
    ("requestPaymentMessage", "noteMessage", "extendedTextMessage", "text"),
    ("sendPaymentMessage", "noteMessage", "extendedTextMessage", "text"),
)
_NOTES = {
    "audioMessage": "[áudio]",
    "imageMessage": "[imagem]",
    "videoMessage": "[vídeo]",
    "ptvMessage": "[vídeo]",
    "documentMessage": "[documento]",
    "stickerMessage": "[figurinha]",
    "contactMessage": "[contato]",
    "contactsArrayMessage": "[contatos]",
    "locationMessage": "[localização]",
    "liveLocationMessage": "[localização]",
    "pollCreationMessage": "[enquete]",
    "pollCreationMessageV2": "[enquete]",
    "pollCreationMessageV3": "[enquete]",
    "eventMessage": "[evento]",
    "groupInviteMessage": "[convite de grupo]",
    "productMessage": "[produto]",
    "orderMessage": "[pedido]",
    "requestPaymentMessage": "[pedido de pagamento]",
    "sendPaymentMessage": "[pagamento]",
}
# Between the devices of an account: nobody wrote anything.
_OF_DEVICES = frozenset(
    [
        "messageContextInfo", "senderKeyDistributionMessage", "fastRatchetKeySenderKeyDistributionMessage",
        "pollUpdateMessage", "keepInChatMessage", "pinInChatMessage", "encEventResponseMessage", "call", "chat",
        "bcallMessage", "callLogMesssage", "messageHistoryBundle", "messageHistoryNotice", "scheduledCallEditMessage",
        "base64", "mediaUrl",
    ]
)  # fmt: skip
HIDDEN_WORDS = "[mensagem que só aparece no celular]"
HIDDEN_EDIT = "[mensagem editada; o texto novo só aparece no celular]"
_REVOKED, _EDITED = (0, "REVOKE"), (14, "MESSAGE_EDIT")
_SECRET_EDITS = (2, "MESSAGE_EDIT")
_STUB_REVOKED, _STUB_UNDECRYPTED = (1, "REVOKE"), (2, "CIPHERTEXT")
_DEEPEST = 8
_LAST_SECOND = 10**11  # beyond it a stamp is in milliseconds


def read_message(data: Any) -> ChatMessage | None:
    """A message between us and one person; None for groups, broadcasts and what nobody wrote."""
    key = _object(data).get("key")
    if not isinstance(key, Mapping) or not _text(key.get("id")):
        return None
    jid, from_me = _text(key.get("remoteJid")), key.get("fromMe") is True
    if "@" not in jid or jid.endswith(_NOT_PEOPLE):
        return None
    content = _content(data)
    if content is None:
        return None
    names = _THEIRS if from_me else (*_THEIRS, *_WRITERS)
    ids = [provider_id for name in names for holder in (key, data) if (provider_id := _id(name, holder.get(name)))]
    number = next((id for id in ids if id.endswith("@s.whatsapp.net")), None)
    lid = next((id for id in ids if id.endswith("@lid")), None)
    return ChatMessage(
        provider_id=key["id"],
        from_me=from_me,
        jid=number or lid or jid,
        phone="+" + number.split("@")[0] if number else None,
        lid=lid,
        name=_text(data.get("pushName")) or None,
        at=moment_of(data.get("messageTimestamp")),
        **content,
    )


def read_edit(data: Any) -> ChatMessage | None:
    """What `messages.edited` tells: which message has another text. Who wrote it, the key says wrongly."""
    content = _of_protocol({"editedMessage": {}, **_object(data)}, None)
    key = _object(_object(data).get("key"))
    if content is None or _text(key.get("remoteJid")).endswith(_NOT_PEOPLE):
        return None
    return ChatMessage(
        provider_id=f"{content['about']}:edited",
        from_me=False,
        jid="",
        at=moment_of(data.get("timestampMs")),
        **content,
    )


def moment_of(stamp: Any) -> datetime | None:
    """Unix seconds or milliseconds, as a number, a text or protobuf's halves."""
    if isinstance(stamp, Mapping):
        low, high = stamp.get("low"), stamp.get("high")
        stamp = ((high or 0) << 32) + (low % 2**32) if isinstance(low, int) and isinstance(high or 0, int) else low
    try:
        seconds = int(stamp)
        return datetime.fromtimestamp(seconds / 1000 if seconds > _LAST_SECOND else seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def words_of(message: Any) -> str:
    """What the person wrote, said or pressed; a note of what it was when that has no words."""
    inner = _unwrapped(message)
    if words := next((words for path in _WORDS if (words := _text(_at(inner, path)))), ""):
        return words
    if words := _pressed(_at(inner, ("interactiveResponseMessage", "nativeFlowResponseMessage", "paramsJson"))):
        return words
    return next((note for kind, note in _NOTES.items() if inner.get(kind) is not None), "")


def _content(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """`kind`, `text` and `about`; None when nobody wrote anything."""
    message, stub = _unwrapped(data.get("message")), data.get("messageStubType")
    own_id = data["key"]["id"]
    if isinstance(protocol := message.get("protocolMessage"), Mapping):
        return _of_protocol(protocol, own_id)
    if isinstance(secret := message.get("secretEncryptedMessage"), Mapping):
        if secret.get("secretEncType") not in _SECRET_EDITS:
            return None
        return {"kind": "unreadable", "text": HIDDEN_EDIT, "about": _about(secret, "targetMessageKey")}
    if isinstance(reaction := message.get("reactionMessage"), Mapping):
        return {"kind": "reaction", "text": _text(reaction.get("text")), "about": _about(reaction, "key")}
    if isinstance(reaction := message.get("encReactionMessage"), Mapping):
        return {"kind": "reaction", "about": _about(reaction, "targetMessageKey")}
    if stub in _STUB_REVOKED:
        return {"kind": "deletion", "about": own_id}
    if words := words_of(message):
        return {"kind": "text", "text": words}
    unknown = [kind for kind, value in message.items() if value is not None and kind not in _OF_DEVICES]
    if unknown or stub in _STUB_UNDECRYPTED:
        return {"kind": "unreadable", "text": HIDDEN_WORDS}
    return None


def _of_protocol(protocol: Mapping[str, Any], own_id: str | None) -> dict[str, Any] | None:
    """A message about another one: it was deleted for all, or has another text now."""
    about, type_ = _about(protocol, "key"), protocol.get("type")
    if not about or about == own_id:
        return None
    if (words := words_of(protocol.get("editedMessage"))) and (type_ in _EDITED or type_ is None):
        return {"kind": "edit", "text": words, "about": about}
    if type_ in _EDITED:
        return {"kind": "unreadable", "text": HIDDEN_EDIT, "about": about}
    # protobuf leaves out what is 0, which here means deleted.
    if type_ in _REVOKED or (type_ is None and "editedMessage" not in protocol):
        return {"kind": "deletion", "about": about}
    return None


def _about(message: Mapping[str, Any], key: str) -> str | None:
    """The id of the message that this one is about."""
    return _text(_at(message, (key, "id"))) or None


def _unwrapped(message: Any) -> Mapping[str, Any]:
    """What is inside: disappearing, seen once, edited, with a caption, from another device of theirs."""
    for _ in range(_DEEPEST):
        inner = next(_inside(message), None)
        if inner is None:
            break
        message = inner
    return _object(message)


def _inside(message: Any) -> Iterator[Mapping[str, Any]]:
    """Every wrapper there is, and those to come, holds what it wraps as its `message`."""
    for value in _object(message).values():
        if isinstance(inner := _object(value).get("message"), Mapping):
            yield inner


def _pressed(parameters: Any) -> str:
    """The words of a button whose answer is JSON of whoever made the button."""
    try:
        fields = _object(json.loads(_text(parameters)))
    except (ValueError, RecursionError):
        return ""
    return next((words for name in ("display_text", "title", "id") if (words := _text(fields.get(name)))), "")


def _id(name: str, value: Any) -> str:
    """`5511987654321:3@s.whatsapp.net`, `...@c.us` or a bare number -> one form; the device is left out."""
    user, at, server = _text(value).partition("@")
    user = user.partition(":")[0]
    if not user.isdigit():
        return ""
    if f"@{server}" in _HIDDEN:
        return f"{user}@lid"
    bare_number = not at and name.endswith("Pn")
    return f"{user}@s.whatsapp.net" if bare_number or f"@{server}" in _NUMBERS else ""


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = _object(value).get(name)
    return value


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
