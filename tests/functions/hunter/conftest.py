"""People who look for clients, their profile, and what the outside was asked."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from somos.mesh.events import Event
from tests.harness.mesh import Answer, Mesh, Person
from tests.harness.world import World

# The world's agencies are found by these words; the codes keep printers and schools out.
CRITERIA: dict[str, Any] = {
    "segments": ["agência de publicidade"],
    "cnaes": ["7311"],
    "cities": ["São Paulo"],
    "ufs": ["SP"],
    "employees_min": 50,
}
# Every agency of São Paulo with 50 people or more that trades.
FIT = {
    "horizonte", "farol", "ipe-amarelo", "mare-alta", "verbo-imagem", "patio-digital", "tamandua", "casa-aurora",
    "bonde", "nova-garoa",
}  # fmt: skip


@dataclass
class Hunt:
    """What people of the hunter do most."""

    mesh: Mesh
    world: World
    diretora: Person = field(init=False)
    comercial: Person = field(init=False)
    admin: Person = field(init=False)

    def __post_init__(self) -> None:
        self.diretora = self.mesh.person("Diretor", "Dora")
        self.comercial = self.mesh.person("Comercial", "Ana")
        self.admin = self.mesh.person("Admin", "Rui")

    def call(self, who: Person, what: str, json: Any = None, **options: Any) -> Answer:
        # Signed in anew, because the clock is moved past the life of a token.
        return self.mesh.call(what, json, as_=self.mesh.signed_in(who.principal), **options)

    def get(self, path: str) -> Any:
        return self.call(self.diretora, f"GET {path}").ok()

    def post(self, path: str, json: Any = None) -> Any:
        return self.call(self.diretora, f"POST {path}", {} if json is None else json).ok()

    def icp(self, name: str = "Agências em São Paulo, 50+", **criteria: Any) -> Any:
        return self.post("/api/v1/icp-profiles", {"name": name, "criteria": {**CRITERIA, **criteria}})

    def search(self, icp: Any, **options: Any) -> Any:
        """Start a search; its session, not delivered yet."""
        self.post("/api/v1/hunter/search", {"icp_id": icp["id"], **options})
        return self.sessions(icp)[0]

    def searched(self, icp: Any, **options: Any) -> Any:
        """A search, run to its end."""
        session = self.search(icp, **options)
        self.mesh.drain()
        return self.session(session)

    def session(self, session: Any) -> Any:
        return self.get(f"/api/v1/search-sessions/{session['id']}")

    def sessions(self, icp: Any) -> list[Any]:
        return self.get(f"/api/v1/search-sessions?icp_id={icp['id']}")["items"]

    def leads(self, query: str = "") -> list[Any]:
        return self.get(f"/api/v1/leads?limit=200{query and '&' + query}")["items"]

    def lead(self, slug: str) -> Any:
        """The one lead of a company of the world, in full."""
        domain = f"{slug}-exemplo.com.br"
        found = [
            lead for lead in self.leads(f"q={domain}") if lead["domain"] == domain and lead["state"] != "duplicate"
        ]
        assert len(found) == 1, [lead["domain"] for lead in self.leads()]
        return self.get(f"/api/v1/leads/{found[0]['id']}")

    def slugs(self, state: str) -> set[str]:
        return {lead["domain"].removesuffix("-exemplo.com.br") for lead in self.leads(f"state={state}")}

    def scores(self) -> dict[str, tuple[str, int | None, str | None]]:
        return {
            lead["domain"] or lead["company_name"]: (lead["state"], lead["score"], lead["reason"])
            for lead in self.leads()
        }

    def imported(self, icp: Any, text: str, encoding: str = "utf-8", who: Person | None = None) -> Answer:
        return self.call(
            who or self.diretora,
            f"POST /api/v1/leads/import?icp_id={icp['id']}",
            data=text.encode(encoding),
            content_type="text/csv",
        )

    def one_lead(
        self, icp: Any | None = None, row: str = "Lúmen;(11) 95555-0199;lumen.teste@gmail.com;São Paulo;SP"
    ) -> Any:
        """A lead that came by file, judged."""
        self.imported(icp or self.icp(), f"Empresa;Celular;E-mail;Cidade;UF\n{row}\n").ok()
        self.mesh.drain()
        return self.get(f"/api/v1/leads/{self.get('/api/v1/leads?limit=1')['items'][0]['id']}")

    def calls(self, provider: str) -> int:
        """How often a provider of the outside was asked."""
        return int(self.world.get("calls")["totals"].get(provider, 0))

    def run(self, *functions: str) -> None:
        """Deliver to these functions only (`hunter-` is all of the module); the rest stays due."""
        self.mesh.drain(only=lambda claim: claim.function.startswith(functions))
        with self.mesh.db() as db:
            db.execute(
                text("update mesh.deliveries set due_at = :now, attempts = attempts - 1 where state = 'due'"),
                {"now": self.mesh.time},
            )

    def outlast(self) -> None:
        """Let time pass and failed steps be tried again, until there is nothing left to try."""
        for _ in range(12):
            self.mesh.drain(tolerate=True)
            self.mesh.advance(minutes=2)

    def hear(self, *events: Event) -> None:
        """Facts of other modules, told to the hunter only."""
        self.mesh.state(*events)
        self.run("hunter-")

    def qualified_lead(self) -> Any:
        """A lead as if it had been found and judged well."""
        report = self.imported(self.icp(), "Empresa;Celular;E-mail\nLúmen;(11) 95555-0199;lumen.teste@gmail.com\n").ok()
        with self.mesh.db() as db:
            db.execute(text("delete from mesh.outbox"))
            db.execute(text("update hunter.leads set state = 'qualified', score = 88, reason = 'Nota 88 de 100.'"))
            db.execute(text("update hunter.search_sessions set settled = 1, qualified = 1, state = 'completed'"))
        return self.leads(f"session_id={report['session_id']}")[0]


@pytest.fixture
def hunt(mesh: Mesh, outside: World) -> Hunt:
    return Hunt(mesh, outside)


@pytest.fixture
def busy_hunt(committed: Mesh, outside: World) -> Hunt:
    """With real commits, for steps and people that act at the same time."""
    return Hunt(committed, outside)
