"""The chain of `leads/` as DBOS workflows, four recorded steps each: says in how many seconds all were done."""

import json
import os
import sys
import time
from uuid import UUID, uuid4

from dbos import DBOS
from sqlalchemy import create_engine, text

from tests.bench.leads.work import EFFECT, STATE, STEPS

url = os.environ["DATABASE_URL"]
engine = create_engine(url, pool_size=8, connect_args={"ssl_context": False} if "pg8000" in url else {})
owner = os.environ["DATABASE_OWNER_URL"].replace("pg8000", "psycopg")
DBOS(config={"name": "leads", "system_database_url": owner, "run_migrations": True, "log_level": "ERROR"})


@DBOS.step()
def step(lead: str, number: int) -> None:
    values = {"lead": lead, "step": STEPS[number]}
    with engine.begin() as db:
        db.execute(text(EFFECT), values)
        db.execute(text(STATE), values)


@DBOS.workflow()
def chain(lead: str) -> None:
    for number in range(len(STEPS)):
        step(lead, number)


def run(ids: list[UUID]) -> float:
    begun = time.monotonic()
    with engine.begin() as db:
        db.execute(text("insert into bench.leads (id) select unnest(cast(:ids as uuid[]))"), {"ids": ids})
    for handle in [DBOS.enqueue_workflow("leads", chain, str(id)) for id in ids]:
        handle.get_result()
    return time.monotonic() - begun


if __name__ == "__main__":
    DBOS.launch()
    DBOS.register_queue("leads", worker_concurrency=8, polling_interval_sec=0.05)
    run([uuid4() for _ in range(10)])
    seconds = run([uuid4() for _ in range(int(sys.argv[1]))])
    DBOS.destroy()
    print(json.dumps({"seconds": seconds}))
