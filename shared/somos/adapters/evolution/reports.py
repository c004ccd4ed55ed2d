"""What Evolution's webhooks say, read into neutral reports."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from somos.adapters.evolution.messages import read_edit, read_message
from somos.ports.whatsapp import ChatMessage, Connection, MessageReport, Receipt, Reports, WhatsappReports

_Receipt = Literal["sent", "delivered", "read", "failed"]
# What each status says of a message of ours; None for those that say nothing of how far it came. Evolution passes
# on Baileys' numbers where it does not know a name.
_STATUSES: dict[str, _Receipt | None] = {
    "ERROR": "failed", "FAILED": "failed", "0": "failed",
    "PENDING": None, "1": None, "EDITED": None, "DELETED": None,
    "SERVER_ACK": "sent", "SENT": "sent", "2": "sent",
    "DELIVERY_ACK": "delivered", "DELIVERED": "delivered", "3": "delivered",
    "READ": "read", "4": "read",
    "PLAYED": "read", "5": "read",
}  # fmt: skip
_CLOSED_FOR_GOOD = (402, 403)
_STATES: dict[str, Literal["ok", "disconnected"] | None] = {
    "open": "ok",
    "connecting": None,
    "close": "disconnected",
    "closed": "disconnected",
    "refused": "disconnected",
}


class EvolutionReports(WhatsappReports):
    """Version 2 of Evolution, and what its webhooks kept of version 1."""

    def read(self, event: dict[str, Any]) -> Reports:
        reader = _READERS.get(_name(event.get("event")))
        account, unknown = event.get("instance"), list[str]()
        reports = [report for data in _items(event.get("data")) for report in reader(data, unknown)] if reader else []
        return Reports(
            account=account if isinstance(account, str) else "", reports=tuple(reports), unknown=tuple(unknown)
        )


def _name(event: Any) -> str:
    """Set by hand in an automation, or by events: `MESSAGES_UPSERT` and `messages-upsert` are one."""
    return event.lower().replace("_", ".").replace("-", ".") if isinstance(event, str) else ""


def _items(data: Any) -> list[Mapping[str, Any]]:
    """One thing, a list of them, or a list under its own name."""
    if isinstance(data, Mapping) and isinstance(data.get("messages"), list):
        data = data["messages"]
    items = data if isinstance(data, list) else [data]
    return [item for item in items if isinstance(item, Mapping)]


def _received(data: Mapping[str, Any], _: list[str]) -> Iterator[MessageReport]:
    yield from _report_of(read_message(data))


def _sent(data: Mapping[str, Any], _: list[str]) -> Iterator[MessageReport]:
    if (message := read_message(data)) is not None and message.from_me:
        yield MessageReport(message=message, through_api=True)


def _edited(data: Mapping[str, Any], _: list[str]) -> Iterator[MessageReport]:
    yield from _report_of(read_edit(data))


def _deleted(data: Mapping[str, Any], _: list[str]) -> Iterator[MessageReport]:
    """The key of what was deleted, flat or under its name."""
    key = data.get("key") if isinstance(data.get("key"), Mapping) else data
    id = key.get("id") if isinstance(key, Mapping) else None
    if isinstance(id, str) and id:
        yield MessageReport(message=ChatMessage(provider_id=id, from_me=False, jid="", kind="deletion", about=id))


def _report_of(message: ChatMessage | None) -> Iterator[MessageReport]:
    if message is not None:
        yield MessageReport(message=message)


def _updated(data: Mapping[str, Any], unknown: list[str]) -> Iterator[Receipt]:
    """Flat, as Evolution tells it, or as Baileys does: the key, and beside it what changed."""
    key, update = data.get("key"), data.get("update")
    key, update = key if isinstance(key, Mapping) else {}, update if isinstance(update, Mapping) else {}
    id = data.get("keyId") or key.get("id")
    if data.get("fromMe", key.get("fromMe")) is False or not isinstance(id, str) or not id:
        return
    status = data.get("status", update.get("status"))
    if status is None:
        return
    word = str(status).upper()
    if word not in _STATUSES:
        unknown.append(f"status {word[:40]}")
    elif receipt := _STATUSES[word]:
        yield Receipt(provider_id=id, receipt=receipt)


def _connected(data: Mapping[str, Any], unknown: list[str]) -> Iterator[Connection]:
    reason = data.get("statusReason", data.get("disconnectionReasonCode"))
    state = str(data.get("state", data.get("status")))
    if state not in _STATES:
        unknown.append(f"connection {state[:40]}")
    elif health := _STATES[state]:
        blocked = health == "disconnected" and reason in _CLOSED_FOR_GOOD
        reason_text = f"WhatsApp: conexão {state} ({reason if isinstance(reason, int) else 'sem motivo'})"
        yield Connection(health="blocked" if blocked else health, reason=reason_text)


_READERS = {
    "messages.upsert": _received,
    "send.message": _sent,
    "messages.edited": _edited,
    "messages.delete": _deleted,
    "messages.update": _updated,
    "send.message.update": _updated,
    "connection.update": _connected,
    "status.instance": _connected,
}
