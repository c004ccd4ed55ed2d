"""The chain of `leads/` in Celery: acks_late, the same statements over the same driver, each step sends the next."""

import os
import time
from functools import cache
from typing import Any

from celery import Celery
from sqlalchemy import Engine, create_engine, text

from tests.bench.leads.work import EFFECT, STATE, STEPS

# Unacknowledged work of a killed worker comes back after this; the default of an hour would outlast the run.
VISIBILITY_S = 10

app = Celery("leads", broker=os.environ.get("CELERY_BROKER", ""))
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=4,
    broker_transport_options={"visibility_timeout": VISIBILITY_S},
    broker_connection_retry_on_startup=True,
)


@cache
def engine() -> Engine:
    url = os.environ["DATABASE_URL"]
    arguments = {"ssl_context": False} if "pg8000" in url else {}
    return create_engine(url, pool_size=1, connect_args=arguments)


@app.task(name="step")
def step(lead: str, number: int) -> None:
    values: dict[str, Any] = {"lead": lead, "step": STEPS[number]}
    with engine().begin() as db:
        db.execute(text(EFFECT), values)
        db.execute(text(STATE), values)
    if number + 1 < len(STEPS):
        step.delay(lead, number + 1)


@app.task(name="probed")
def probed(probe: str) -> None:
    began = time.monotonic()
    with engine().begin() as db:
        db.execute(text("insert into bench.starts values (:probe, :at)"), {"probe": probe, "at": began})
