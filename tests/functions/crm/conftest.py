"""A house with its default pipelines, a director and two sellers."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from somos.mesh import clock
from somos.modules.crm.actions import seed
from tests.harness.mesh import Answer, Mesh, Person

CNPJ = "11222333000181"
OTHER_CNPJ = "12ABC34501DE35"


@dataclass
class House:
    """The people of a small producer, and what they do most."""

    mesh: Mesh
    diretora: Person = field(init=False)
    ana: Person = field(init=False)
    bruno: Person = field(init=False)

    def __post_init__(self) -> None:
        with self.mesh.db() as db:
            seed.install(db)
        self.diretora = self.mesh.person("Diretor", "Dora")
        self.ana = self.mesh.person("Comercial", "Ana")
        self.bruno = self.mesh.person("Comercial", "Bruno")

    def call(self, who: Person, what: str, json: Any = None, **options: Any) -> Answer:
        # Signed in anew, because the clock is moved past the life of a token.
        return self.mesh.call(what, json, as_=self.mesh.signed_in(who.principal), **options)

    def get(self, who: Person, path: str) -> Any:
        return self.call(who, f"GET {path}").ok()

    def post(self, who: Person, path: str, json: Any = None, **options: Any) -> Any:
        return self.call(who, f"POST {path}", json or ({} if "data" not in options else None), **options).ok()

    def deal(self, who: Person, title: str = "Filme institucional", **more: Any) -> Any:
        return self.post(who, "/api/v1/deals", {"title": title, **more})

    def company(self, who: Person, name: str = "Agência Lúmen", **more: Any) -> Any:
        return self.post(who, "/api/v1/companies", {"name": name, **more})

    def contact(self, who: Person, name: str = "Carla", **more: Any) -> Any:
        return self.post(who, "/api/v1/contacts", {"name": name, **more})

    def pipeline(self, code: str = "publicidade") -> UUID:
        return UUID(str(self.mesh.one("select id from crm.pipelines where code = :c", c=code)))

    def stages(self, code: str = "publicidade") -> dict[str, UUID]:
        rows = self.mesh.rows(
            "select s.id, s.name from crm.deal_stages s join crm.pipelines p on p.id = s.pipeline_id "
            "where p.code = :c order by s.position",
            c=code,
        )
        return {row["name"]: row["id"] for row in rows}

    def lost_reason(self) -> UUID:
        return UUID(str(self.mesh.one("select id from crm.lost_reasons where name = 'Preço'")))

    def history(self, deal_id: str) -> list[Any]:
        return self.mesh.rows(
            "select h.*, s.name from crm.deal_stage_history h join crm.deal_stages s on s.id = h.stage_id "
            "where deal_id = :d order by step",
            d=deal_id,
        )

    def won(self, who: Person, document: str | None = CNPJ, **more: Any) -> Any:
        """A deal that the client said yes to."""
        company = self.company(who, document=document)
        deal = self.deal(who, company_id=company["id"], value_cents=1_500_000, **more)
        how = {"closed_on": str(clock.today() - timedelta(days=3)), "override_reason": "Fechado por telefone"}
        return self.post(who, f"/api/v1/deals/{deal['id']}/win", how)

    def wait(self, **by: float) -> None:
        self.mesh.time += timedelta(**by)

    def sql(self, statement: str, **parameters: Any) -> None:
        with self.mesh.db() as db:
            db.execute(text(statement), parameters)


@pytest.fixture
def house(mesh: Mesh) -> House:
    return House(mesh)


@pytest.fixture
def busy_house(committed: Mesh) -> House:
    """With real commits, for people who act at the same time."""
    return House(committed)
