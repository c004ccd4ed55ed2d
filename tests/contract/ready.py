"""Rows in the state in which an endpoint does what it is for; any row of the table does for the others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from somos.kernel.documents import is_valid_cnpj
from somos.mesh.ids import uuid7
from somos.modules.auth.tables import User
from somos.modules.sdr.queries.approvals import hash_of
from somos.modules.sdr.rules.drafts import unsubscribe_token
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender
from somos.policy.passwords import hash_password
from tests.contract.rows import Rows
from tests.harness import days

PASSWORD = "uma senha bem comprida"
WAY_OUT = "Oi! Posso mostrar um filme curto? Não quer receber? https://somos.test/api/v1/unsubscribe/x"

Ready = Callable[[Rows], dict[str, Any]]


def at(id: UUID, **body: Any) -> dict[str, Any]:
    return {"path": {"id": id}, **({"body": body} if body else {})}


def cnpj() -> str:
    """A valid one, another every time."""
    base = f"{uuid7().int % 10**12:012}"
    return next(base + f"{digits:02}" for digits in range(100) if is_valid_cnpj(base + f"{digits:02}"))


def won(rows: Rows) -> dict[str, Any]:
    company = rows.another("crm.companies", document=cnpj())
    deal = rows.another("crm.deals", company_id=company, value_cents=1_000)
    rows.another("crm.deal_stage_history", deal_id=deal)
    return at(deal, closed_on=str(days.chosen().date() - timedelta(days=3)), override_reason="Fechado por telefone")


def lost(rows: Rows) -> UUID:
    ended = {"state": "lost", "lost_reason_id": rows.id("crm.lost_reasons"), "closed_at": days.chosen()}
    deal = rows.another("crm.deals", **ended)
    rows.another("crm.deal_stage_history", deal_id=deal, state="lost")
    return deal


def searching(rows: Rows) -> UUID:
    icp = rows.another("hunter.icp_profiles")
    rows.another("hunter.icp_versions", icp_id=icp)
    return rows.another("hunter.search_sessions", icp_id=icp, state="running")


def message(rows: Rows, **said: Any) -> UUID:
    alone = {"enrolment_id": None, "step_no": None, "provider_id": None, "text": WAY_OUT, **said}
    return rows.another("sdr.outreach_messages", **alone)


def awaiting(rows: Rows) -> dict[str, Any]:
    id = message(rows)
    rows.another("sdr.approvals", subject_id=id)
    with rows.mesh.db() as db:
        row = db.get_one(OutreachMessage, id)
        read = hash_of(row, db.get_one(Sender, row.sender_id))
    return at(id, text_hash=read)


def unknown(rows: Rows) -> UUID:
    decided = rows.another("sdr.approvals", subject_id=uuid7(), state="approved", decided_by=rows.owner)
    return message(rows, state="unknown", approval_id=decided)


def leave(rows: Rows) -> dict[str, Any]:
    token = unsubscribe_token(rows.mesh.runtime.settings.suppression_key, rows.id("sdr.outreach_messages"))
    return {"path": {"token": token}}


def login(rows: Rows) -> dict[str, Any]:
    email = f"{uuid7()}@somos.test"
    hashed = hash_password(PASSWORD, rows.mesh.runtime.settings.bcrypt_cost)
    with rows.mesh.db() as db:
        db.add(User(email=email, name="Lia", role="Diretor", password_hash=hashed))
    return {"body": {"email": email, "password": PASSWORD}}


def held(rows: Rows) -> dict[str, Any]:
    # From an address of its own: sign-ins from one are limited.
    address = {"X-Real-Ip": str(uuid7())}
    signed_in = rows.mesh.call("POST /api/v1/auth/login", login(rows)["body"], headers=address).ok()
    return {"body": {"refresh_token": signed_in["refresh_token"]}}


def own_password(rows: Rows) -> dict[str, Any]:
    with rows.mesh.db() as db:
        user = db.get(User, rows.owner)
        if user is not None:  # a key has none
            user.password_hash = hash_password(PASSWORD, rows.mesh.runtime.settings.bcrypt_cost)
    return {"body": {"current_password": PASSWORD}}


READY: dict[str, Ready] = {
    "GET /api/v1/agents/tasks/{id}/result": lambda rows: at(rows.another("agents.tasks", state="succeeded", result={})),
    "POST /api/v1/auth/login": login,
    "POST /api/v1/auth/refresh": held,
    "PUT /api/v1/auth/password": own_password,
    "DELETE /api/v1/companies/{id}": lambda rows: at(rows.another("crm.companies")),
    "DELETE /api/v1/contacts/{id}": lambda rows: at(rows.another("crm.contacts")),
    "POST /api/v1/company-contacts": lambda rows: {"body": {"contact_id": rows.another("crm.contacts")}},
    "DELETE /api/v1/deal-stages/{id}": lambda rows: at(rows.another("crm.deal_stages", name=f"{rows.word} outra")),
    "DELETE /api/v1/pipelines/{id}": lambda rows: at(rows.another("crm.pipelines", code=f"{rows.word} outro")),
    "POST /api/v1/deals/{id}/win": won,
    "POST /api/v1/deals/{id}/reopen": lambda rows: at(lost(rows)),
    "POST /api/v1/imports/{id}/undo": lambda rows: at(
        rows.another("crm.imports", state="applied", applied_at=days.chosen())
    ),
    "DELETE /api/v1/icp-profiles/{id}": lambda rows: at(rows.another("hunter.icp_profiles")),
    "POST /api/v1/search-sessions/{id}/pause": lambda rows: at(searching(rows)),
    "POST /api/v1/outreach-campaigns/{id}/resume": lambda rows: at(
        rows.another("sdr.outreach_campaigns", state="paused")
    ),
    "POST /api/v1/outreach-messages/{id}/approve": awaiting,
    "POST /api/v1/outreach-messages/{id}/edit-and-approve": lambda rows: {
        **(made := awaiting(rows)),
        "body": {**made["body"], "text": WAY_OUT + " mesmo"},
    },
    "POST /api/v1/outreach-messages/{id}/settle": lambda rows: at(unknown(rows)),
    "POST /api/v1/senders/{id}/repaired": lambda rows: at(
        rows.another("sdr.senders", address=f"{rows.word} outro", health="blocked")
    ),
    "GET /api/v1/unsubscribe/{token}": leave,
    "POST /api/v1/unsubscribe/{token}": leave,
}
