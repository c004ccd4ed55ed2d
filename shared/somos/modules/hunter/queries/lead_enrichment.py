"""What is known of a lead before anybody is asked about it."""

from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.kernel.hosts import domain_of
from somos.modules.hunter.queries.lead_sources import facts_of
from somos.modules.hunter.rules.extraction_rules import DEFAULTS, Rule
from somos.modules.hunter.rules.facts import Fact, chosen
from somos.modules.hunter.tables.extraction_rules import ExtractionRule
from somos.modules.hunter.tables.leads import Lead
from somos.modules.hunter.tables.search_sessions import SearchSession


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a lead before anybody is asked."""

    facts: list[Fact]
    rules: tuple[Rule, ...]

    @property
    def domain(self) -> str | None:
        best = chosen(self.facts).get("domain")
        return best.value if best else None

    @property
    def site(self) -> str | None:
        """Where the company's own site starts: as it was linked, else its bare domain."""
        best = chosen(self.facts).get("domain")
        if best is None:
            return None
        if best.url and domain_of(best.url) == best.value:
            parts = urlsplit(best.url)
            return f"{parts.scheme}://{parts.netloc}/"
        return best.value


def known_of(db: Session, lead_id: UUID) -> Known | None:
    """What to start from; None when nothing is to be asked (already done, paused, cancelled)."""
    lead = db.get(Lead, lead_id)
    if lead is None or lead.state != "discovered" or standing(db, lead) != "running":
        return None
    own = select(ExtractionRule).where(ExtractionRule.active).order_by(ExtractionRule.id)
    rules = tuple(Rule(row.kind, row.action, row.pattern) for row in db.scalars(own))  # type: ignore[arg-type]
    return Known(facts_of(db, lead_id), (*rules, *DEFAULTS))


def standing(db: Session, lead: Lead) -> str:
    """Whether the search behind a lead goes on: `running`, `paused`, or `ended` by cancelling or failing."""
    if lead.session_id is None:
        return "running"
    state = db.scalars(select(SearchSession.state).where(SearchSession.id == lead.session_id)).one()
    return {"paused": "paused", "cancelled": "ended", "failed": "ended"}.get(state, "running")
