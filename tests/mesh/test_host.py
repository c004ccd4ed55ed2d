"""The unit as it is served: what the framework refuses by itself is answered in our way, too."""

import pytest
from werkzeug.test import Client

from somos.mesh import host, unit
from somos.mesh.database import engine_for
from somos.mesh.runtime import Runtime, use
from tests.harness.mesh import Mesh


@pytest.fixture(params=[host.app, lambda: unit.wsgi], ids=["framework", "sibling"])
def served(mesh: Mesh, request: pytest.FixtureRequest) -> Client:
    del mesh  # its runtime is the one in use
    return Client(request.param())


@pytest.mark.parametrize("path", ["/api/v1/deals/a%0Ab", "/api/v1//deals", "/nothing", "/", "/api/v1/deals/%00"])
def test_an_address_that_is_none_is_a_problem_of_ours(served: Client, path: str) -> None:
    answer = served.get(path, headers={"Authorization": "Bearer x"})
    assert answer.content_type == "application/problem+json"
    assert answer.status_code in (401, 404), answer.text
    assert answer.json is not None
    assert answer.json["status"] == answer.status_code


def test_a_method_that_nobody_knows_is_a_problem_of_ours(served: Client) -> None:
    answer = served.open("/api/v1/deals", method="BREW")
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")


def test_a_unit_is_ready_once_its_functions_are_loaded_and_the_database_answers(served: Client) -> None:
    answer = served.get("/_/ready")
    assert answer.status_code == 200
    assert answer.json is not None
    assert "crm-deals" in answer.json["functions"]


def test_a_unit_without_its_database_is_alive_and_not_ready(served: Client, mesh: Mesh) -> None:
    use(Runtime(mesh.runtime.settings, engine=engine_for("postgresql://nobody:x@127.0.0.1:1/none")))
    answer = served.get("/_/ready")
    assert answer.status_code == 503
    assert answer.json == {"status": "waiting", "for": "database", "why": "InterfaceError"}
    assert served.get("/_/health").status_code == 200
