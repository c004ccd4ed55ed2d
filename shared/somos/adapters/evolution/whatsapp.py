"""WhatsApp through Evolution API v2: sending and reading."""

import json
from urllib.parse import quote

from somos.adapters.evolution.messages import read_message
from somos.adapters.http import Answer, ResilientClient, by_status
from somos.kernel.phones import phone_variants
from somos.ports.errors import NotConfigured, OutsideError, Refused, Transient, Unknown
from somos.ports.sent import Sent
from somos.ports.whatsapp import ChatPage, Whatsapp, WhatsappNumber

# A failed send is 400 whatever the reason; only the text tells (lower case). These come from before the
# message is handed to WhatsApp. Any other text may as well come from after it.
DISCONNECTED = "connection closed"
REFUSALS = {
    "requires property": "bad-request",
    "is not of a type": "bad-request",
    "text is required": "empty-text",
    "must be a url or base64": "bad-media",
    "[object object]": "group-not-found",
}

PAGE_SIZE = 50


class Evolution(Whatsapp):
    """One Evolution server; each `instance` in it is a connected number."""

    def __init__(self, client: ResilientClient, default_instance: str) -> None:
        self._client, self._default = client, default_instance

    def check_number(self, number: str, instance: str = "") -> WhatsappNumber:
        forms = [form.removeprefix("+") for form in phone_variants(number)]
        answer = self._client.call(
            "check_number",
            "read",
            "POST",
            f"/chat/whatsappNumbers/{_segment(instance or self._default)}",
            body={"numbers": forms},
            judge=_judge_check,
        )
        by_number = {item.get("number"): item for item in answer.data if isinstance(item, dict)}
        for form in forms:  # never by position: Evolution sorts its answer
            item = by_number.get(form)
            if item and item.get("exists") is True and item.get("jid"):
                return WhatsappNumber(exists=True, jid=str(item["jid"]))
        return WhatsappNumber(exists=False)

    def send_text(self, instance: str, jid: str, text: str, key: str) -> Sent:  # noqa: ARG002  (no keys there)
        answer = self._client.call(
            "send_text",
            "once",
            "POST",
            f"/message/sendText/{_segment(instance)}",
            body={"number": jid, "text": text, "linkPreview": False},
            judge=_judge_send,
        )
        return Sent(provider_id=answer.data["key"]["id"])

    def messages(self, instance: str, page: int = 1, jid: str | None = None) -> ChatPage:
        where = {"where": {"key": {"remoteJid": jid}}} if jid else {"where": {}}
        answer = self._client.call(
            "messages",
            "read",
            "POST",
            f"/chat/findMessages/{_segment(instance)}",
            body={**where, "page": page, "offset": PAGE_SIZE},
            judge=_judge_list,
        )
        body = answer.data["messages"]
        read = [read_message(record) for record in body["records"]]
        more = isinstance(body.get("pages"), int) and page < body["pages"]
        return ChatPage(
            messages=tuple(message for message in read if message is not None),
            next_page=page + 1 if more else None,
        )


def _segment(instance: str) -> str:
    return quote(instance, safe="")


def _judge_check(answer: Answer) -> OutsideError | None:
    if answer.status == 400:
        # A failed look-up has no envelope and no telling text; a schema violation is ours.
        if "requires property" in _body_text(answer) or "is not of a type" in _body_text(answer):
            return Refused("O WhatsApp não entendeu o número.", code="bad-request", status=400)
        return Transient("O WhatsApp está desconectado.", code="disconnected", status=400)
    if answer.status < 300 and not isinstance(answer.data, list):
        return answer.uncertain("Resposta ilegível do WhatsApp.", code="malformed")
    return _judge(answer)


def _judge_list(answer: Answer) -> OutsideError | None:
    body = answer.object.get("messages")
    if answer.status < 300 and not (isinstance(body, dict) and isinstance(body.get("records"), list)):
        return answer.uncertain("Resposta ilegível do WhatsApp.", code="malformed")
    return _judge(answer)


def _judge_send(answer: Answer) -> OutsideError | None:
    if answer.status == 400:
        return _judge_bad_send(answer)
    if answer.status < 300 and not _message_id(answer):
        return answer.uncertain("O WhatsApp não disse qual mensagem criou.", code="malformed")
    return _judge(answer)


def _judge_bad_send(answer: Answer) -> OutsideError:
    message = answer.object.get("response", {}).get("message") if answer.object else None
    if isinstance(message, list) and any(isinstance(m, dict) and m.get("exists") is False for m in message):
        return Refused("Este número não está no WhatsApp.", code="number-not-on-whatsapp", status=400)
    body = _body_text(answer)
    if DISCONNECTED in body:
        return Transient("O WhatsApp está desconectado.", code="disconnected", status=400)
    for text, code in REFUSALS.items():
        if text in body:
            return Refused("O WhatsApp recusou a mensagem.", code=code, status=400)
    return Unknown("O envio falhou sem dizer em que ponto.", code="send-failed", status=400)


def _judge(answer: Answer) -> OutsideError | None:
    if answer.status == 404:
        return NotConfigured("Esta conexão de WhatsApp não existe.", code="unknown-instance", status=404)
    if answer.object.get("code") == "LICENSE_REQUIRED":
        return NotConfigured("O servidor de WhatsApp está sem licença.", code="no-licence", status=answer.status)
    return by_status(answer)


def _body_text(answer: Answer) -> str:
    """The whole body in lower case: the message is nested differently in every kind of error."""
    return json.dumps(answer.data, ensure_ascii=False).replace('\\"', '"').lower() if answer.data else ""


def _message_id(answer: Answer) -> str | None:
    key = answer.object.get("key")
    id = key.get("id") if isinstance(key, dict) else None
    return id if isinstance(id, str) and id else None
