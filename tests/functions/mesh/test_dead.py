"""Queues and dead deliveries: seen by the direction, replayed by an Admin only."""

from uuid import UUID

from sqlalchemy import text

from somos.mesh import outbox
from somos.mesh.ids import uuid7
from somos.mesh.queues import QUEUES
from tests.harness.mesh import Mesh


def a_dead_delivery(mesh: Mesh, function: str = "crm-on-nothing", type_: str = "crm.nothing") -> UUID:
    """As the worker leaves one after the last attempt."""
    id = uuid7()
    with mesh.db() as db:
        db.execute(
            text(
                "insert into mesh.outbox (id, type, data, due_at, occurred_at, correlation, emitted_by, fanned_at) "
                "values (:id, :type, '{\"deal_id\": \"1\"}', :now, :now, :id, 'crm-deals', :now)"
            ),
            {"id": id, "type": type_, "now": mesh.time},
        )
        db.execute(
            text(
                "insert into mesh.deliveries (id, event_id, type, function, queue, due_at, timeout, attempts, "
                "max_attempts) values (:id, :id, :type, :function, 'agents', :now, 30, 8, 8)"
            ),
            {"id": id, "type": type_, "function": function, "now": mesh.time},
        )
    (claimed,) = [claim for claim in outbox.claim(mesh.runtime.engine, "agents", 50) if claim.id == id]
    assert outbox.fail(mesh.runtime.engine, claimed, "HTTP 500: o provedor caiu") == "dead"
    return id


def test_the_direction_sees_what_was_given_up_and_why(mesh: Mesh) -> None:
    id = a_dead_delivery(mesh)
    diretor = mesh.person("Diretor")
    (shown,) = mesh.call("GET /api/v1/mesh/dead", as_=diretor).ok()["items"]
    assert (shown["id"], shown["function"], shown["last_error"]) == (
        str(id),
        "crm-on-nothing",
        "HTTP 500: o provedor caiu",
    )
    detail = mesh.call(f"GET /api/v1/mesh/dead/{id}", as_=diretor).ok()
    assert detail["data"] == {"deal_id": "1"}
    assert detail["emitted_by"] == "crm-deals"


def test_the_list_narrows_to_a_function(mesh: Mesh) -> None:
    a_dead_delivery(mesh, "crm-on-a")
    id = a_dead_delivery(mesh, "crm-on-b")
    items = mesh.call("GET /api/v1/mesh/dead?function=crm-on-b", as_=mesh.person("Admin")).ok()["items"]
    assert [item["id"] for item in items] == [str(id)]


def test_only_an_admin_replays(mesh: Mesh) -> None:
    id = a_dead_delivery(mesh)
    for other in (mesh.person("Diretor"), mesh.person("Comercial"), mesh.person("Cliente", client_company_id=uuid7())):
        mesh.call(f"POST /api/v1/mesh/dead/{id}/replay", as_=other).refused(403)
    assert mesh.call(f"POST /api/v1/mesh/dead/{id}/replay", as_=mesh.person("Admin")).status == 204
    with mesh.db() as db:
        row = db.execute(text("select state, attempts from mesh.deliveries where id = :id"), {"id": id}).one()
    assert tuple(row) == ("due", 0)


def test_a_delivery_that_is_not_dead_cannot_be_replayed(mesh: Mesh) -> None:
    id = a_dead_delivery(mesh)
    admin = mesh.person("Admin")
    assert mesh.call(f"POST /api/v1/mesh/dead/{id}/replay", as_=admin).status == 204
    mesh.call(f"POST /api/v1/mesh/dead/{id}/replay", as_=admin).refused(404)
    mesh.call(f"GET /api/v1/mesh/dead/{id}", as_=admin).refused(404)


def test_sellers_and_clients_see_nothing_of_the_mesh(mesh: Mesh) -> None:
    for other in (mesh.person("Comercial"), mesh.person("Cliente", client_company_id=uuid7())):
        mesh.call("GET /api/v1/mesh/queues", as_=other).refused(403)
        mesh.call("GET /api/v1/mesh/dead", as_=other).refused(403)


def test_queues_tell_what_waits_and_what_was_given_up(mesh: Mesh) -> None:
    a_dead_delivery(mesh)
    told = mesh.call("GET /api/v1/mesh/queues", as_=mesh.person("Diretor")).ok()
    agents = next(queue for queue in told["queues"] if queue["queue"] == "agents")
    assert (agents["due"], agents["dead"]) == (0, 1)
    assert {queue["queue"] for queue in told["queues"]} >= set(QUEUES)
