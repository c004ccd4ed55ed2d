"""The life of a deal: which move is allowed, and what to say when it is not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from somos.kernel.documents import is_valid_cnpj, is_valid_cpf
from somos.kernel.refusals import NotAllowed
from somos.kernel.states import Machine

DEAL = Machine(
    "Um negócio",
    {"open": "open won lost", "won": "open", "lost": "open"},
    {"open": "aberto", "won": "ganho", "lost": "perdido"},
)
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

    state: str
    pipeline_id: UUID
    present: frozenset[str] = frozenset()
    lead_id: UUID | None = None


def check_change(deal: DealFacts) -> None:
    """What a closed deal holds stays. Raises NotAllowed, as all of these do."""
    if deal.state != "open":
        raise NotAllowed("O negócio está encerrado; reabra antes de alterar", code="deal-closed")


def check_move(deal: DealFacts, stage_name: str, stage_pipeline: UUID, required: Iterable[str]) -> None:
    """A card moves only while open, inside its pipeline, with what the stage requires."""
    if deal.state != "open":
        raise NotAllowed(f"O negócio está {DEAL.names[deal.state]}; reabra antes de mover.", code="deal-closed")
    if stage_pipeline != deal.pipeline_id:
        raise NotAllowed("Esta etapa pertence a outro funil.", code="stage-of-another-pipeline")
    missing = [FIELD_LABELS[name] for name in required if name not in deal.present]
    if missing:
        raise NotAllowed(f"Para entrar em {stage_name}, preencha: {', '.join(missing)}.", code="stage-requires")


def check_win(
    deal: DealFacts,
    document: str | None,
    closed_on: date | None,
    accepted_budget: bool,
    override_reason: str | None,
) -> None:
    """Won needs value, date, a company with a valid document, and an accepted budget or a reason."""
    _check_ends(deal, "won")
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
        raise NotAllowed(f"Para ganhar o negócio, falta: {', '.join(missing)}.", code="win-requires")


def check_lose(deal: DealFacts) -> None:
    """Only an open deal is lost; the reason is part of the request."""
    _check_ends(deal, "lost")


def check_reopen(deal: DealFacts, may_reopen_won: bool, contract_signed: bool) -> None:
    """Lost reopens; won reopens by Admin or Diretor while no contract is signed."""
    if deal.state == "open":
        raise NotAllowed("O negócio já está aberto.", code="deal-open")
    if deal.state == "won" and not may_reopen_won:
        raise NotAllowed("Só a direção reabre um negócio ganho.", code="reopen-won-forbidden")
    if deal.state == "won" and contract_signed:
        raise NotAllowed("Há contrato assinado; este negócio não reabre.", code="contract-signed")


def check_delete(deal: DealFacts) -> None:
    """A slip of the keyboard may go; what came from a person's answer or ended has a history to keep."""
    if deal.state != "open":
        raise NotAllowed(f"Negócio {DEAL.names[deal.state]} não se apaga.", code="deal-closed")
    if deal.lead_id is not None:
        raise NotAllowed("Este negócio veio da prospecção; registre a perda com um motivo.", code="deal-from-lead")


def _check_ends(deal: DealFacts, to: str) -> None:
    if not DEAL.allows(deal.state, to):
        raise NotAllowed(f"O negócio já está {DEAL.names[deal.state]}.", code="deal-closed")


def follow_up_at(now: datetime) -> datetime:
    """When an answer is overdue: a day later, and not on a weekend in São Paulo."""
    local = now.astimezone(_SAO_PAULO) + timedelta(days=1)
    weekend = max(0, 7 - local.weekday()) if local.weekday() > 4 else 0
    return (local + timedelta(days=weekend)).astimezone(UTC)


def is_valid_document(document: str | None) -> bool:
    """A CNPJ or, for a person who hires alone, a CPF."""
    return document is not None and (is_valid_cnpj(document) or is_valid_cpf(document))
