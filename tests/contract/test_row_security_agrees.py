"""Scopes and row security agree: what a handler's query keeps and what the database keeps, of a random house."""

import random
from typing import Any

import pytest
from sqlalchemy import select

from somos.mesh.ids import uuid7
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role
from somos.policy.scopes import visible
from tests.contract.rows import Rows, tables
from tests.harness.mesh import Mesh, Person

OWNED = ("crm.deals", "crm.companies", "crm.contacts")


@pytest.mark.parametrize("seed", range(3))
def test_what_a_query_keeps_and_what_the_database_keeps_are_the_same_rows(mesh: Mesh, seed: int) -> None:
    people = [mesh.person(role) for role in ("Admin", "Diretor", "Comercial", "Comercial")]
    _fill(mesh, people, random.Random(seed))
    client = Principal(uuid7(), Role.Cliente, Kind.user, "Cliente", "s", _some_company(mesh))
    agent = Principal(uuid7(), Role.Agente_IA, Kind.agent, "Agente", "s")
    seen = 0
    for principal in (*(one.principal for one in people), client, agent):
        for table in tables().values():
            filtered = _ids(mesh, None, visible(principal, table))
            assert _ids(mesh, None, visible(principal, table, most=True)) == filtered, table
            assert _ids(mesh, Person(principal, ""), select(table)) == filtered, table
            seen += len(filtered)
    assert seen > 10 * len(tables()), "a house in which hardly anybody sees anything proves nothing"


def _fill(mesh: Mesh, people: list[Person], chance: random.Random) -> None:
    """Rows of every table by each, then deals, companies and contacts that chance gives to somebody or to nobody."""
    house = Rows(mesh, people[0].id, "casa").all()
    for person in people[1:]:
        rows = Rows(mesh, person.id, "linha", house).all()
        for name in chance.choices(OWNED, k=12):
            owner = chance.choice([*(one.id for one in people), None])
            made = rows.another(name, owner_id=owner)
            for column in ("company_id", "contact_id") if name == "crm.deals" else ():
                if chance.random() < 0.5:
                    rows.another("crm.deals", owner_id=owner, **{column: rows.id(OWNED[1 + (column == "contact_id")])})
            if name != "crm.deals" and chance.random() < 0.5:
                kind = "company_id" if name == "crm.companies" else "contact_id"
                rows.another("crm.taggings", deal_id=None, **{kind: made})


def _some_company(mesh: Mesh) -> Any:
    return mesh.rows("select company_id as id from crm.deals where company_id is not null order by id limit 1")[0].id


def _ids(mesh: Mesh, as_: Person | None, statement: Any) -> set[Any]:
    with mesh.db(as_) as db:
        return {row.id for row in db.scalars(statement)}
