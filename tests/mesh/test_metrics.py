"""What Prometheus reads of the mesh."""

from prometheus_client import CollectorRegistry, generate_latest

from somos.mesh.metrics import MeshMetrics
from tests.harness.mesh import Mesh
from tests.mesh.toys.outside import NothingHappened, ToyPostman, ToyWiring


def _read(toys: Mesh) -> str:
    registry = CollectorRegistry()
    registry.register(MeshMetrics(toys.runtime))
    return generate_latest(registry).decode()


def test_queues_effects_and_providers_are_told(toys: Mesh, wiring: ToyWiring, postman: ToyPostman) -> None:
    wiring.health = lambda: [{"provider": "evolution", "state": "down"}, {"provider": "resend", "state": "ok"}]
    diretor = toys.person("Diretor")
    toys.call("POST /toys/notes", {"text": "a"}, as_=diretor).ok()
    postman.trouble = [NothingHappened() for _ in range(3)]
    for _ in range(3):
        toys.drain(tolerate=True)
        toys.advance(hours=1)
    said = _read(toys)
    assert "somos_database_up 1.0" in said
    assert 'somos_deliveries_dead{queue="default"} 1.0' in said
    assert 'somos_deliveries_due{queue="messages"} 0.0' in said
    assert 'somos_integration_up{provider="evolution"} 0.0' in said
    assert 'somos_integration_up{provider="resend"} 1.0' in said
    assert "somos_audit_unsealed 1.0" in said
