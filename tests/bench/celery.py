"""Celery as a peer: its worker as a real process over the same Valkey and PostgreSQL."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from tests.bench.setting import Process, Setting, process

COMMAND = [
    str(Path(sys.executable).with_name("celery")), "-A", "tests.bench.peers.celery_leads", "worker",
    "--concurrency", "2", "--pool", "prefork", "--loglevel", "ERROR",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
]  # fmt: skip


@dataclass
class Celery:
    """Sends tasks, and starts workers for them."""

    setting: Setting

    def __post_init__(self) -> None:
        self.broker = self.setting.redis.rsplit("/", 1)[0] + "/5"
        self._broker = redis.Redis.from_url(self.broker)
        os.environ["CELERY_BROKER"] = self.broker
        from tests.bench.peers import celery_leads

        celery_leads.app.conf.broker_url = self.broker
        self.tasks = celery_leads

    @contextmanager
    def worker(self) -> Iterator[Process]:
        environment = self.setting.environment(CELERY_BROKER=self.broker)
        with process(COMMAND, environment, self.setting.log("celery")) as running:
            yield running

    def send(self, task: str, *arguments: Any) -> None:
        getattr(self.tasks, task).delay(*arguments)

    def idle(self) -> bool:
        """Nothing waits, and nothing that a dead worker took waits to come back."""
        return not self._broker.llen("celery") and not self._broker.hlen("unacked")

    def forget(self) -> None:
        """Drop what earlier runs left in the broker."""
        self._broker.flushdb()
