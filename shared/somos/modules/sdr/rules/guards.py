"""The pre-flight checks of a message, each with its name and its reason; all of them pass or nothing leaves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from somos.kernel.business_days import IsHoliday
from somos.modules.sdr.rules import windows
from somos.modules.sdr.rules.windows import Ramp, Window

# cancel: it will never leave. ask: a person approves again. hold: until a person lifts it. wait: until `until`.
Then = Literal["cancel", "ask", "hold", "wait"]
Inbound = Literal["none", "unclassified", "unclear", "unread", "human"]
REFUSED_LEADS = frozenset({"blocked", "erased", "rejected_campaign", "duplicate"})
ADDRESS_PAUSED = "O último e-mail a este endereço voltou; espera-se um pouco."
UNCLASSIFIED_PAUSE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message does not leave now: the check, a sentence for a person, and what follows."""

    check: str
    reason: str
    then: Then
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preflight:
    """Everything the checks look at, read under the locks of person and sender."""

    now: datetime
    channel: str
    conversational: bool  # a person answers a person: no cap and no window
    content_hash: str
    approved_hash: str | None
    approved_by_person: bool
    approval_expires_at: datetime | None
    suppressed: bool
    inbound: Inbound
    lead_state: str | None
    relationship: str | None  # "client" | "open_deal" | None
    stopped_enrolment: str | None
    campaign_state: str | None
    switches: tuple[str, ...]  # reasons of the kill switches that are on
    health: str
    health_until: datetime | None
    window: Window
    zone: str
    sender_zone: str
    ramp: Ramp
    sender_left_today: int
    person_left: tuple[datetime, ...]
    away_until: datetime | None = None  # their own mail program says so
    address_paused_until: datetime | None = None  # the last mail there came back, for now


Check = Callable[[Preflight, IsHoliday], Refusal | None]


def preflight(facts: Preflight, is_holiday: IsHoliday) -> list[Refusal]:
    """Every check that refuses, in the order below; an empty list lets the message leave."""
    return list(_refusals(facts, is_holiday))


def decisive(refusals: list[Refusal]) -> Refusal:
    """What to do about them: cancel, ask, hold, and last the latest of the waits."""
    rank = {"cancel": 3, "ask": 2, "hold": 1, "wait": 0}
    return max(refusals, key=lambda r: (rank[r.then], r.until.timestamp() if r.until else 0.0))


def _refusals(facts: Preflight, is_holiday: IsHoliday) -> Iterator[Refusal]:
    for check in CHECKS:
        if refusal := check(facts, is_holiday):
            yield refusal


def approval(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.approved_hash is None or not facts.approved_by_person:
        return Refusal("approval", "Nenhuma pessoa aprovou esta mensagem.", "ask")
    if facts.approved_hash != facts.content_hash:
        return Refusal("approval", "O conteúdo mudou depois da aprovação.", "ask")
    if facts.approval_expires_at is None or facts.approval_expires_at <= facts.now:
        return Refusal("approval", "A aprovação venceu.", "ask")
    return None


def suppression(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.suppressed:
        return Refusal("suppression", "A pessoa pediu para não receber mensagens.", "cancel")
    return None


def inbound(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.inbound == "human":
        return Refusal("inbound", "A pessoa respondeu depois que o texto foi escrito.", "cancel")
    if facts.inbound == "unclear":
        return Refusal("inbound", "Uma resposta desta pessoa espera que alguém a classifique.", "hold")
    if facts.inbound == "unread":
        return Refusal("inbound", "Um e-mail desta pessoa chegou e ainda não pôde ser lido.", "hold")
    if facts.inbound == "unclassified":
        until = facts.now + UNCLASSIFIED_PAUSE
        return Refusal("inbound", "Há uma resposta ainda não classificada desta pessoa.", "wait", until)
    return None


def absence(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.conversational or facts.away_until is None or facts.away_until <= facts.now:
        return None
    return Refusal("absence", "A pessoa avisou que está ausente.", "wait", facts.away_until)


def address(facts: Preflight, _: IsHoliday) -> Refusal | None:
    until = facts.address_paused_until
    if facts.conversational or until is None or until <= facts.now:
        return None
    return Refusal("address", ADDRESS_PAUSED, "wait", until)


def lead(facts: Preflight, _: IsHoliday) -> Refusal | None:
    """Somebody decided against this lead after the message was approved; who wrote to us is still answered."""
    if facts.lead_state in REFUSED_LEADS and not facts.conversational:
        return Refusal("lead", "O lead foi recusado ou marcado para nunca ser contatado.", "cancel")
    return None


def relationship(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.conversational or facts.relationship is None:
        return None
    words = {"client": "já é cliente", "open_deal": "já tem um negócio em andamento"}
    return Refusal("relationship", f"A empresa {words[facts.relationship]}.", "cancel")


def enrolment(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.stopped_enrolment:
        return Refusal("enrolment", "A cadência desta pessoa foi encerrada.", "cancel")
    return None


def campaign(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.campaign_state == "paused" and not facts.conversational:
        return Refusal("campaign", "A campanha está pausada.", "hold")
    return None


def kill_switch(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.switches:
        return Refusal("kill-switch", f"Envios interrompidos: {'; '.join(facts.switches)}.", "hold")
    return None


def health(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.health == "inactive":
        return Refusal("health", "O remetente está desativado.", "hold")
    if facts.health == "blocked":
        return Refusal("health", "O canal do remetente está bloqueado.", "hold")
    if facts.health == "disconnected":
        return Refusal("health", "O canal do remetente está desconectado.", "hold")
    if facts.health == "quota_today" and facts.health_until and facts.health_until > facts.now:
        return Refusal("health", "O provedor atingiu a cota de hoje.", "wait", facts.health_until)
    return None


def person_cap(facts: Preflight, _: IsHoliday) -> Refusal | None:
    if facts.conversational:
        return None
    free = windows.person_free_at(facts.now, facts.person_left)
    if free > facts.now:
        days = windows.PERSON_CAP_PERIOD.days
        reason = f"A pessoa já recebeu {windows.PERSON_CAP} mensagens em {days} dias."
        return Refusal("person-cap", reason, "wait", free)
    return None


def sender_cap(facts: Preflight, is_holiday: IsHoliday) -> Refusal | None:
    if facts.conversational:
        return None
    _, tomorrow = windows.day_bounds(facts.now, facts.sender_zone)
    cap = windows.cap_on(windows.local_date(facts.now, facts.sender_zone), facts.ramp)
    if facts.health == "slowed":  # the provider asked for less
        cap = max(cap // 2, 1)
    if facts.sender_left_today < cap:
        return None
    until = windows.next_opening(tomorrow, facts.window, facts.zone, is_holiday) or tomorrow
    return Refusal("sender-cap", "O remetente atingiu o limite de hoje.", "wait", until)


def window(facts: Preflight, is_holiday: IsHoliday) -> Refusal | None:
    if facts.conversational:
        return None
    opening = windows.next_opening(facts.now, facts.window, facts.zone, is_holiday)
    if opening is None:
        return Refusal("window", "O remetente não tem horário de envio configurado.", "hold")
    if opening > facts.now:
        return Refusal("window", "Fora do horário de envio.", "wait", opening)
    return None


CHECKS: tuple[Check, ...] = (
    approval,
    suppression,
    inbound,
    absence,
    address,
    lead,
    relationship,
    enrolment,
    campaign,
    kill_switch,
    health,
    person_cap,
    sender_cap,
    window,
)
# Asked again, under the person's lock, in the instant before the call.
LAST_CHECKS: tuple[Check, ...] = (
    approval,
    suppression,
    inbound,
    absence,
    address,
    lead,
    enrolment,
    campaign,
    kill_switch,
    health,
)
