"""Leads written to: drafted by a model; then approved and sent by WhatsApp, as one flow, since mail is limited to five
a second by its provider. On a whole local stack, then on the same of an earlier commit."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from sqlalchemy import Connection, text

from somos.local import postgres
from somos.mesh.database import engine_for
from somos.settings import ROOT
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting, answers, process, until
from tests.bench.stack import COMMAND, FOREIGN

BEFORE = "042915d"  # the commit that design section 9 compares with
LEADS, LEADS_BEFORE, LEADS_QUICK = 2000, 400, 200
A_CAMPAIGN = 200  # what one held at that commit
APPROVERS = 4
PATIENCE_S = 900.0
SENDER = {  # open at any hour of any day
    "channel": "whatsapp", "name": "WhatsApp", "person_name": "Helena", "address": "somos",
    "opens": "00:00", "closes": "24:00", "weekdays": [0, 1, 2, 3, 4, 5, 6], "skip_holidays": False, "daily_cap": 10_000,
}  # fmt: skip

QUALIFIED = text("""
insert into hunter.leads (id, state, company_name, name_words, phone, city, city_key, uf, source, icp_id, icp_number,
    score, held, legal_basis, collected_at, retain_until, version)
select gen_random_uuid(), 'qualified', 'Empresa ' || n, '{}', '+55119' || (71000000 + n), 'São Paulo',
    'sao paulo', 'SP', 'web', gen_random_uuid(), 1, 80, false, 'legitimate_interest', now(), current_date + 700, 1
from generate_series(1, :leads) n
returning id
""")
DRAFTED = "sdr.outreach_messages where state = 'awaiting_approval'"
SENT = "sdr.outreach_messages where sent_at is not null"


@dataclass
class Rates:
    """Leads a second of each part of the work."""

    drafted: float
    sent: float


@dataclass
class House:
    """A local stack of some checkout, its database, and the director signed in."""

    gateway: str
    owner_url: str
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body)
        answer = _http.request(method, self.gateway + path, body=sent, headers=headers, timeout=60)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.data[:300]!r}")
        return answer.json()

    @contextmanager
    def as_owner(self) -> Iterator[Connection]:
        engine = engine_for(self.owner_url, pool_size=1)
        try:
            with engine.begin() as db:
                db.execute(text("select set_config('somos.role', 'system', true)"))
                yield db
        finally:
            engine.dispose()

    def count(self, what: str) -> int:
        with self.as_owner() as db:
            return int(db.scalar(text(f"select count(*) from {what}")) or 0)


_http = urllib3.PoolManager(maxsize=APPROVERS, retries=False)


def outreach(setting: Setting, quick: bool) -> list[Row]:
    leads = LEADS_QUICK if quick else LEADS
    with _house(setting, ROOT, "now") as house:
        ours = _work(house, leads)
    before, why = _before(setting, LEADS_QUICK if quick else LEADS_BEFORE)
    note = f"peer: the same work at {BEFORE}" if before else f"left out: {why}"
    budget = Budget(3.0, 6.0, "at least", of="ratio")
    return [
        Row(f"{leads} leads {part}", getattr(ours, part), getattr(before, part, None), "leads/s", budget, note)
        for part in ("drafted", "sent")
    ]


def _work(house: House, leads: int) -> Rates:
    sender = house.ask("POST", "/api/v1/senders", SENDER)
    with house.as_owner() as db:
        ids = [str(id) for id in db.scalars(QUALIFIED, {"leads": leads})]
    drafting = _timed(lambda: _draft(house, ids, sender["id"]))
    with house.as_owner() as db:
        drafts = [tuple(row) for row in db.execute(text("select id, text_hash from sdr.outreach_messages"))]

    def approve() -> None:
        with ThreadPoolExecutor(APPROVERS) as people:
            list(people.map(lambda one: _approve(house, *one), drafts))
        until(lambda: house.count(SENT) == leads, PATIENCE_S, "not all were sent", pause=0.1)

    return Rates(leads / drafting, leads / _timed(approve))


def _draft(house: House, ids: list[str], sender: str) -> None:
    for begin in range(0, len(ids), A_CAMPAIGN):
        wanted = {"lead_ids": ids[begin : begin + A_CAMPAIGN], "channel": "whatsapp", "sender_id": sender}
        house.ask("POST", "/api/v1/sdr/campaign", wanted)
    until(lambda: house.count(DRAFTED) == len(ids), PATIENCE_S, "not all were drafted", pause=0.1)


def _approve(house: House, id: Any, text_hash: str) -> None:
    house.ask("POST", f"/api/v1/outreach-messages/{id}/approve", {"text_hash": text_hash})


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _before(setting: Setting, leads: int) -> tuple[Rates | None, str]:
    """The same at the commit of before, from the history of this checkout; or why there is no figure."""
    checkout = setting.folder / "before"
    git = ["git", "-C", str(ROOT), "worktree"]
    made = subprocess.run([*git, "add", "--detach", str(checkout), BEFORE], capture_output=True, text=True)
    if made.returncode:
        return None, (made.stderr.strip().splitlines() or ["git gave no reason"])[-1]
    try:
        with _house(setting, checkout, "before") as house:
            return _work(house, leads), ""
    finally:
        subprocess.run([*git, "remove", "--force", str(checkout)], check=True, capture_output=True)


@contextmanager
def _house(setting: Setting, checkout: Path, name: str) -> Iterator[House]:
    folder = setting.folder / f"house-{name}"
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    environment |= {"SOMOS_FOLDER": str(folder), "PYTHONPATH": f"{checkout}:{checkout / 'shared'}"}
    with process(COMMAND, environment, setting.log(f"house-{name}"), checkout) as running:
        until(lambda: (folder / "ports.json").exists() or running.ended, 60, "the stack chose no ports")
        ports = json.loads((folder / "ports.json").read_text())
        answers(ports["gateway"], "/health", running)
        until((folder / "run" / "worker.ready").exists, 60, "the worker did not get ready")
        _, owner_url = postgres.addresses(ports["postgres"], folder / "secrets")
        signed_in = subprocess.run(
            [PYTHON, "-c", SIGN_IN.format(port=ports["gateway"])],
            env=environment, cwd=checkout, capture_output=True, text=True, check=True,
        )  # fmt: skip
        yield House(f"http://127.0.0.1:{ports['gateway']}", owner_url, signed_in.stdout.strip())


SIGN_IN = "from somos.local.people import sign_in; print(sign_in('http://127.0.0.1:{port}', 'diretor'))"
