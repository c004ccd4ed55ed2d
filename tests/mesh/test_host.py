"""The unit as it is served: what the framework refuses by itself is answered in our way, too."""

import pytest
from werkzeug.test import Client

from somos.mesh import host
from tests.harness.mesh import Mesh


@pytest.fixture
def served(mesh: Mesh) -> Client:
    del mesh  # its runtime is the one in use
    return Client(host.app())


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
