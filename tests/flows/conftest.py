"""Stories over the whole mesh and a simulated world that answers by real webhooks."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

from somos.migrations import seed
from tests.flows.office import Office
from tests.harness.mesh import Mesh
from tests.harness.world import World


@pytest.fixture(params=[False, True], ids=["once", "every delivery twice"])
def twice(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def office(committed: Mesh, outside: World) -> Iterator[Office]:
    """A house at work: its people, and a door for the providers' webhooks."""
    mesh = committed
    # The providers sign with the real time; a story stays within minutes of it.
    mesh.time = datetime.now(UTC)
    seed(mesh.runtime.settings.database_url)
    server = make_server("127.0.0.1", 0, Request.application(mesh.app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    door = f"http://127.0.0.1:{server.server_port}/webhook"
    outside.post("settings", whatsapp_webhook_url=f"{door}/whatsapp", email_webhook_url=f"{door}/email")
    yield Office(mesh, outside)
    server.shutdown()
    thread.join()
    server.server_close()
