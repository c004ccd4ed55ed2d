"""The life of a deal: which move is allowed, and what to say when it is not.

open -> open (another stage), won, lost; lost -> open; won -> open by direction only, and without a signed
contract.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from somos.kernel.documents import is_valid_cnpj, is_valid_cpf

State = Literal["open", "won", "lost"]
STATES: tuple[State, ...] = ("open", "won", "lost")
_SAO_PAULO = ZoneInfo("America/Sao_Paulo")

# What a stage may require, with the name people know it by.
FIELD_LABELS = {
    "value_cents": "valor",
    "company_id": "empresa",
    "contact_id": "contato",
    "expected_close_date": "previsão de fechamento",
    "owner_id": "responsável",
}


@dataclass(frozen=True, slots=True)
class DealFacts:
    """What the guards look at; `present` are the columns that hold something."""

    state: State
    pipeline_id: UUID
    present: frozenset[str] = frozenset()
    lead_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not allowed: a stable code and a sentence for a person."""

    code: str
    reason: str


def refuse_move(deal: DealFacts, stage_name: str, stage_pipeline: UUID, required: Iterable[str]) -> Refusal | None:
    """A card moves only while open, inside its pipeline, with what the stage requires."""
    if deal.state != "open":
        return Refusal("deal-closed", f"O negócio está {_state_name(deal.state)}; reabra antes de mover.")
    if stage_pipeline != deal.pipeline_id:
        return Refusal("stage-of-another-pipeline", "Esta etapa pertence a outro funil.")
    missing = [FIELD_LABELS[name] for name in required if name not in deal.present]
    if missing:
        return Refusal("stage-requires", f"Para entrar em {stage_name}, preencha: {', '.join(missing)}.")
    return None


def refuse_win(
    deal: DealFacts,
    document: str | None,
    closed_on: date | None,
    accepted_budget: bool,
    override_reason: str | None,
) -> Refusal | None:
    """Won needs value, date, a company with a valid document, and an accepted budget or a reason."""
    if deal.state != "open":
        return Refusal("deal-closed", f"O negócio já está {_state_name(deal.state)}.")
    missing = []
    if "value_cents" not in deal.present:
        missing.append("valor")
    if closed_on is None:
        missing.append("data de fechamento")
    if "company_id" not in deal.present:
        missing.append("empresa")
    elif not is_valid_document(document):
        missing.append("CNPJ ou CPF válido da empresa")
    if not accepted_budget and not override_reason:
        missing.append("orçamento aceito, ou o motivo de ganhar sem ele")
    if missing:
        return Refusal("win-requires", f"Para ganhar o negócio, falta: {', '.join(missing)}.")
    return None


def refuse_lose(deal: DealFacts) -> Refusal | None:
    """Only an open deal is lost; the reason is part of the request."""
    if deal.state != "open":
        return Refusal("deal-closed", f"O negócio já está {_state_name(deal.state)}.")
    return None


def refuse_reopen(deal: DealFacts, may_reopen_won: bool, contract_signed: bool) -> Refusal | None:
    """Lost reopens; won reopens by Admin or Diretor while no contract is signed."""
    if deal.state == "open":
        return Refusal("deal-open", "O negócio já está aberto.")
    if deal.state == "won" and not may_reopen_won:
        return Refusal("reopen-won-forbidden", "Só a direção reabre um negócio ganho.")
    if deal.state == "won" and contract_signed:
        return Refusal("contract-signed", "Há contrato assinado; este negócio não reabre.")
    return None


def refuse_delete(deal: DealFacts) -> Refusal | None:
    """A slip of the keyboard may go; what came from a person's answer or ended has a history to keep."""
    if deal.state != "open":
        return Refusal("deal-closed", f"Negócio {_state_name(deal.state)} não se apaga.")
    if deal.lead_id is not None:
        return Refusal("deal-from-lead", "Este negócio veio da prospecção; registre a perda com um motivo.")
    return None


def follow_up_at(now: datetime) -> datetime:
    """When an answer is overdue: a day later, and not on a weekend in São Paulo."""
    local = now.astimezone(_SAO_PAULO) + timedelta(days=1)
    weekend = max(0, 7 - local.weekday()) if local.weekday() > 4 else 0
    return (local + timedelta(days=weekend)).astimezone(UTC)


def is_valid_document(document: str | None) -> bool:
    """A CNPJ or, for a person who hires alone, a CPF."""
    return document is not None and (is_valid_cnpj(document) or is_valid_cpf(document))


def _state_name(state: State) -> str:
    return {"open": "aberto", "won": "ganho", "lost": "perdido"}[state]
