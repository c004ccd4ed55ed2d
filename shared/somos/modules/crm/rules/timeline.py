"""How a timeline is paged, and how a change of a row is told to a person."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# What people may change, as a timeline calls it.
LABELS = {
    "title": "título",
    "name": "nome",
    "legal_name": "razão social",
    "document": "CNPJ ou CPF",
    "domain": "site",
    "phone": "telefone",
    "email": "e-mail",
    "city": "cidade",
    "uf": "UF",
    "segment": "segmento",
    "notes": "observações",
    "owner_id": "responsável",
    "company_id": "empresa",
    "contact_id": "contato",
    "value_cents": "valor",
    "probability": "probabilidade",
    "expected_close_date": "previsão de fechamento",
    "state": "situação",
    "closed_on": "data de fechamento",
    "lost_reason_id": "motivo da perda",
    "lost_note": "detalhe da perda",
    "win_override_reason": "motivo de ganhar sem orçamento",
    "pipeline_id": "funil",
    "merged_into_id": "juntado a",
}


REPLY_LABELS = {
    "interested": "interesse",
    "question": "pergunta",
    "later": "mais tarde",
    "no": "não",
    "wrong_person": "pessoa errada",
    "optout": "não quer mais mensagens",
    "unclear": "a entender",
}
CHANNELS = {"whatsapp": "WhatsApp", "email": "e-mail", "linkedin": "LinkedIn"}


def message_title(kind: str, channel: str) -> str:
    """As in `Mensagem enviada por WhatsApp`."""
    what = "Resposta recebida" if kind == "message_received" else "Mensagem enviada"
    return f"{what} por {CHANNELS.get(channel, channel)}"


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """The last item of a page; the next page is older. Ties of time are broken by id."""

    at: datetime
    id: str

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises ValueError for anything that `text` did not make."""
        try:
            packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("not a cursor") from error
        at, _, id = packed.partition("|")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not id:
            raise ValueError("not a cursor")
        return cls(moment, id)

    @property
    def text(self) -> str:
        return base64.urlsafe_b64encode(f"{self.at.isoformat()}|{self.id}".encode()).decode().rstrip("=")

    def is_before(self, at: datetime, id: str) -> bool:
        """Whether this item belongs to the next page."""
        return (at, id) < (self.at, self.id)


def field_changes(changes: Mapping[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """(field, label, old, new) of what a person would call a change; keys kept by the program are left out."""
    readable = []
    for field, pair in changes.items():
        if field in LABELS and isinstance(pair, list) and len(pair) == 2:
            readable.append((field, LABELS[field], pair[0], pair[1]))
    return sorted(readable, key=lambda change: list(LABELS).index(change[0]))
