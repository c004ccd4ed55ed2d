"""Queues are declared once, in code; whoever names one names that object."""

import pytest
from click.testing import CliRunner

from somos.cli.processes import worker
from somos.mesh.derive.placement import Placement
from somos.mesh.queues import AGENTS, QUEUES, Queue
from somos.mesh.worker import QueueRunner
from tests.harness.mesh import Mesh


def test_a_queue_is_declared_once() -> None:
    with pytest.raises(ValueError, match="agents is declared already"):
        Queue("agents", width=2)
    assert QUEUES["agents"] is AGENTS


def test_a_worker_has_as_many_under_way_as_its_queue_is_wide(toys: Mesh) -> None:
    widths = {name: QueueRunner(toys.runtime, queue)._free for name, queue in QUEUES.items()}
    assert widths == {"default": 8, "webhooks": 2, "facts": 4, "agents": 8, "messages": 4}


def test_a_worker_of_a_queue_that_nobody_declared_does_not_start() -> None:
    answer = CliRunner().invoke(worker, ["agentes"])
    assert answer.exit_code == 2
    assert "agentes" in answer.output


def test_workers_that_would_crowd_a_unit_are_named() -> None:
    placement = Placement.load()
    assert placement.crowded() == []
    many = placement.services["worker"].model_copy(update={"replicas": 3})
    crowded = placement.model_copy(update={"services": {**placement.services, "worker": many}}).crowded()
    assert "até 24 entregas da fila 'agents' de uma vez, e uma unidade aceita 16" in crowded[-1]
