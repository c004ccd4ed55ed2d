"""State machines of outreach (flows 1.3, 1.4, 2.3): what is not listed is refused."""

from somos.kernel.states import Machine

_STOPS = "stopped_reply stopped_optout stopped_bounce stopped_manual stopped_deal"

# `sending` leaves in four ways: it left (sent), nobody knows (unknown), it cannot leave (failed_permanent,
# cancelled by a guard just before the call), or it surely did not leave and may be tried later (queued).
MESSAGE = Machine(
    "Uma mensagem",
    {
        "drafted": "awaiting_approval cancelled",
        "awaiting_approval": "approved drafted rejected cancelled",
        "approved": "queued sending drafted cancelled",
        "queued": "sending drafted cancelled",
        "sending": "sent unknown queued cancelled failed_permanent",
        "unknown": "sent not_sent",
        "not_sent": "queued cancelled",
        "sent": "delivered read failed_permanent",
        "delivered": "read failed_permanent",
        "read": "",
        "rejected": "",
        "cancelled": "",
        "failed_permanent": "",
    },
    {
        "drafted": "em rascunho",
        "awaiting_approval": "à espera de aprovação",
        "approved": "aprovada",
        "queued": "na fila",
        "sending": "em envio",
        "unknown": "de desfecho desconhecido",
        "not_sent": "não enviada",
        "sent": "enviada",
        "delivered": "entregue",
        "read": "lida",
        "rejected": "rejeitada",
        "cancelled": "cancelada",
        "failed_permanent": "que falhou",
    },
)
ENROLMENT = Machine(
    "Uma cadência",
    {
        "pending_approval": f"active expired {_STOPS}",
        "active": f"waiting paused finished {_STOPS}",
        "waiting": f"active paused finished {_STOPS}",
        "paused": f"waiting {_STOPS}",
        "finished": "",
        "expired": "",
        "stopped_reply": "",
        "stopped_optout": "",
        "stopped_bounce": "",
        "stopped_manual": "",
        "stopped_deal": "",
    },
    {
        "pending_approval": "à espera de aprovação",
        "active": "em andamento",
        "waiting": "à espera do próximo passo",
        "paused": "pausada",
        "finished": "concluída",
        "expired": "vencida",
        "stopped_reply": "encerrada por uma resposta",
        "stopped_optout": "encerrada a pedido da pessoa",
        "stopped_bounce": "encerrada por um endereço que não existe",
        "stopped_manual": "encerrada por alguém da equipe",
        "stopped_deal": "encerrada por um negócio",
    },
)
APPROVAL = Machine(
    "Um pedido de aprovação",
    {
        "pending": "approved rejected changes_requested expired withdrawn stale",
        "approved": "",
        "rejected": "",
        "changes_requested": "",
        "expired": "",
        "withdrawn": "",
        "stale": "",
    },
    {
        "pending": "em aberto",
        "approved": "aprovado",
        "rejected": "recusado",
        "changes_requested": "devolvido para mudanças",
        "expired": "vencido",
        "withdrawn": "retirado",
        "stale": "substituído",
    },
)
SENDER_HEALTH = Machine(
    "Um remetente",
    {
        "ok": "slowed quota_today blocked disconnected",
        "slowed": "ok quota_today blocked disconnected",
        "quota_today": "ok blocked disconnected",
        "blocked": "ok",
        "disconnected": "ok blocked",
    },
    {
        "ok": "em ordem",
        "slowed": "mais lento",
        "quota_today": "sem cota por hoje",
        "blocked": "bloqueado",
        "disconnected": "desconectado",
    },
)
CAMPAIGN = Machine(
    "Uma campanha",
    {"running": "paused", "paused": "running"},
    {"running": "em andamento", "paused": "pausada"},
)

LIVE_ENROLMENTS = ("pending_approval", "active", "waiting", "paused")
# Nothing has left yet, so a reply or an opt-out still cancels these.
CANCELLABLE = ("drafted", "awaiting_approval", "approved", "queued", "not_sent")
# The message is with the person, or may be.
LEFT = ("sending", "unknown", "sent", "delivered", "read")
NEEDS_APPROVAL = ("approved", "queued", "sending", "unknown", "not_sent", "sent", "delivered", "read")

_RECEIPTS = {"sent": 1, "delivered": 2, "read": 3}


def after_receipt(state: str, receipt: str) -> str:
    """The state after the provider's receipt: it may skip and repeat, and never goes back.

    `failed` ends a message that was sent or delivered, never one that was read.
    """
    if receipt == "failed":
        return "failed_permanent" if MESSAGE.allows(state, "failed_permanent") else state
    if state not in _RECEIPTS or receipt not in _RECEIPTS:
        return state
    return max(state, receipt, key=_RECEIPTS.__getitem__)
