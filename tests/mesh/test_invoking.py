"""`faas-cli invoke NAME`: OpenFaaS hands a unit a request for `/`, and the unit knows what is meant."""

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request

from somos.mesh.dispatch import Application
from tests.harness.mesh import Mesh


def asked(mesh: Mesh, names: list[str], method: str, **headers: str) -> TestResponse:
    application = Application({name: mesh.functions[name] for name in names}, mesh.runtime)
    client = Client(lambda environ, start: application(Request(environ))(environ, start))
    return client.open("/", method=method, headers=headers, data=b"{}", content_type="application/json")


@pytest.mark.parametrize("name", ["auth-login", "sdr-hook-email"])
def test_a_unit_of_one_function_answers_at_the_root(mesh: Mesh, name: str) -> None:
    assert asked(mesh, [name], "POST").status_code in (401, 422)


def test_a_unit_of_several_answers_for_the_one_that_is_named(mesh: Mesh) -> None:
    here = ["auth-login", "auth-refresh", "crm-tags"]
    assert asked(mesh, here, "POST").status_code == 404
    assert asked(mesh, here, "POST", **{"Ce-Function": "auth-login"}).status_code == 422


def test_what_is_not_clear_is_refused_with_the_choices(mesh: Mesh) -> None:
    answer = asked(mesh, ["crm-deals"], "POST")
    assert answer.status_code == 404
    assert "POST /api/v1/deals/{id}/move" in answer.text
    assert asked(mesh, ["auth-login"], "GET").status_code == 405
    step = next(name for name, one in mesh.functions.items() if one.topics and not one.endpoints)
    assert "só a malha a chama" in asked(mesh, [step], "POST").text
