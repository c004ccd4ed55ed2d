"""In how many shapes Evolution 2 tells of one and the same thing: wrappers, buttons, hidden numbers, edits."""

from typing import Any

from infra.sandbox.people import Person
from infra.sandbox.state import Row

LID = "1039{:011d}@lid"


def lid_of(person: Person) -> str:
    """The id that WhatsApp gives a person who hides the number."""
    return f"{person.lid}@lid" if person.lid else LID.format(int(person.jid.partition("@")[0]) % 10**11)


def wrapped(words: dict[str, Any]) -> dict[str, Any]:
    """In a chat whose messages disappear."""
    return {"ephemeralMessage": {"message": words}, "messageContextInfo": {}}


def pressed(text: str) -> dict[str, Any]:
    """A button of ours: `text` is what stands on it."""
    return {"buttonsResponseMessage": {"selectedButtonId": "b1", "selectedDisplayText": text, "type": 1}}


def pictured(text: str) -> dict[str, Any]:
    """A picture with a caption, its thumbnail written byte by byte as JavaScript does."""
    pixels = {str(number): number % 256 for number in range(512)}
    return {"imageMessage": {"caption": text, "mimetype": "image/jpeg", "jpegThumbnail": pixels}}


def shaped(data: Row, person: Person, text: str, how: str) -> Row:
    """The message object of `data`, told in another way; one of HOW."""
    key = data["key"]
    if how == "hidden":  # 2.3.6 and later
        key |= {"remoteJid": lid_of(person), "remoteJidAlt": person.jid, "addressingMode": "lid"}
    elif how == "hidden-2.3.0":
        key |= {"remoteJid": lid_of(person), "senderPn": person.jid, "previousRemoteJid": lid_of(person)}
    elif how == "hidden-alone":
        key |= {"remoteJid": lid_of(person)}
    elif how in _WORDS:
        data["message"] = _WORDS[how](text)
        data["messageType"] = next(iter(data["message"]))
    return data


_WORDS = {
    "disappearing": lambda text: wrapped({"extendedTextMessage": {"text": text}}),
    "button": pressed,
    "picture": pictured,
}
HOW = ("plain", "hidden", "hidden-2.3.0", "hidden-alone", *_WORDS)


def edited(own: str, about: str, text: str, at: int) -> Row:
    """`messages.edited`: it names the edited message, and says that we edited it, whoever did."""
    return {
        "key": {"remoteJid": own, "fromMe": True, "id": about},
        "type": "MESSAGE_EDIT",
        "editedMessage": {"conversation": text},
        "timestampMs": str(at * 1000),
    }


def about(what: str, jid: str, id: str, text: str) -> dict[str, Any]:
    """The message of a reaction (an empty `text` takes it back) or of a deletion for all."""
    key = {"remoteJid": jid, "fromMe": what == "react", "id": id}
    if what == "react":
        return {"reactionMessage": {"key": key, "text": text}}
    return {"protocolMessage": {"key": key, "type": "REVOKE"}}
