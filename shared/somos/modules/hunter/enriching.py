"""What the company's own site and the registry add to a lead, and what that says of who it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from somos.kernel.hosts import domain_of
from somos.modules.hunter import identity
from somos.modules.hunter.erasing import erase
from somos.modules.hunter.queries.facts import add_facts, facts_of, show
from somos.modules.hunter.rules import twins
from somos.modules.hunter.rules.extraction import DEFAULTS, Rule
from somos.modules.hunter.rules.facts import Fact, chosen, late
from somos.modules.hunter.rules.states import LEAD, TWINS, UNSETTLED, move_lead
from somos.modules.hunter.tables import ExtractionRule, Lead, LeadOrigin, MergeSuggestion, SearchSession

Outcome = Literal["enriched", "duplicate", "blocked", "held", "nothing"]
MAX_ALIKE = 200


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


@dataclass(frozen=True, slots=True)
class Settled:
    """A lead that ended by this step."""

    lead_id: UUID
    session_id: UUID | None
    outcome: Literal["duplicate", "blocked"]


def known(db: Session, lead_id: UUID) -> Known | None:
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


def hold(db: Session, lead_id: UUID, state: str) -> bool:
    """The step for a lead in this state came while its search is paused: resuming states it again.

    False when the search goes on meanwhile, so that the step has to be taken after all.
    """
    lead = identity.lock_lead(db, lead_id)
    if lead is None or lead.state != state:
        return True
    session = db.scalars(
        select(SearchSession)
        .where(SearchSession.id == lead.session_id)
        .with_for_update(read=True)  # resuming waits for this, or this sees it resumed
        .execution_options(populate_existing=True)
    ).first()
    lead.held = session is not None and session.state == "paused"
    return session is not None and session.state != "running"


def enrich(
    db: Session, lead_id: UUID, learnt: Sequence[Fact], secret: str, unreached: Iterable[str] = ()
) -> tuple[Outcome, list[Settled]]:
    """Store what was learnt; the lead goes on, or turns out to be one we know, or one to leave alone.

    `unreached` never answered: the lead says so.
    """
    lead = identity.lock_lead(db, lead_id)
    if lead is None or lead.state != "discovered":
        return "nothing", []
    lead.unreached = sorted({*lead.unreached, *unreached})
    add_facts(db, lead.id, learnt)
    facts = facts_of(db, lead.id)
    show(lead, facts)
    hashes = identity.hashes_of(secret, facts)
    identity.claim(db, [(lead.id, hash_, key) for hash_, key in hashes.items()])
    held = {owner.id for owner in identity.owners(db, hashes).values()} - {lead.id}
    settled: list[Settled] = []
    if held:
        others = identity.lock_leads(db, held | {lead.id})
        for other in sorted(others.values(), key=lambda other: (not identity.is_refused(other), other.id)):
            if other.id == lead.id:
                continue
            if not twins.may_be_one(lead.cnpj, other.cnpj) and not _is_refusal(lead, other):
                continue
            outcome = _join(db, lead, other, secret, settled)
            if outcome is not None:
                settled.append(Settled(lead.id, lead.session_id, outcome))
                return outcome, settled
    lead.state = move_lead(lead.state, "enriching")
    _suggest_twins(db, lead)
    return "enriched", settled


def _is_refusal(lead: Lead, other: Lead) -> bool:
    """A refused company's phone or e-mail is not written to, whoever else has it."""
    shared = (lead.phone is not None and lead.phone == other.phone) or (
        lead.email is not None and lead.email == other.email
    )
    return identity.is_refused(other) and shared


def _join(
    db: Session, lead: Lead, other: Lead, secret: str, settled: list[Settled]
) -> Literal["duplicate", "blocked"] | None:
    """Make one of the two, by a rule that does not depend on who came first; None: the lead lives on."""
    if identity.is_refused(other):
        if other.state == "erased":
            erase(db, lead, "request", secret)
        else:
            lead.state = move_lead(lead.state, "blocked")
            lead.refusal = "É a mesma empresa de um lead bloqueado."
        return "blocked"
    if other.state == "erased":
        identity.hand_over(db, other.id, lead.id)
        return None
    if _survivor(lead, other) is lead:
        if other.state in UNSETTLED:
            settled.append(Settled(other.id, other.session_id, "duplicate"))
        absorb(db, other, lead, are_late=False)
        show(lead, facts_of(db, lead.id))
        return None
    absorb(db, lead, other, are_late=True)
    return "duplicate"


def _survivor(lead: Lead, other: Lead) -> Lead:
    """One that was already written to; else the one whose site is known; else the older."""
    if other.state not in TWINS:
        return other
    return min(lead, other, key=lambda one: (one.domain is None, one.id))


def absorb(db: Session, lead: Lead, into: Lead, *, are_late: bool) -> None:
    """One lead becomes the duplicate of another, which gets its keys, its origins and what was known of it."""
    if "duplicate" not in LEAD[lead.state]:
        move_lead(lead.state, "duplicate")
    facts = facts_of(db, lead.id)
    add_facts(db, into.id, late(facts) if are_late else facts)
    identity.hand_over(db, lead.id, into.id)
    db.execute(update(LeadOrigin).where(LeadOrigin.lead_id == lead.id).values(lead_id=into.id))
    db.execute(update(Lead).where(Lead.duplicate_of == lead.id).values(duplicate_of=into.id))
    lead.duplicate_of = into.id
    lead.state = move_lead(lead.state, "duplicate")


def _suggest_twins(db: Session, lead: Lead) -> None:
    """Leads alike in name in the same city are put before a person."""
    if not lead.company_name or not lead.city:
        return
    alike = select(Lead).where(
        Lead.city_key == lead.city_key,
        Lead.name_words.overlap(lead.name_words),
        Lead.state.in_(TWINS),
        Lead.id != lead.id,
    )
    others = [_named(other) for other in db.scalars(alike.order_by(Lead.id).limit(MAX_ALIKE))]
    for other_id, likeness in twins.suggestions(_named(lead), others):
        pair = sorted([lead.id, other_id])
        known = select(MergeSuggestion.id).where(
            MergeSuggestion.lead_id == pair[0], MergeSuggestion.other_id == pair[1]
        )
        if db.scalars(known).first() is None:
            db.add(MergeSuggestion(lead_id=pair[0], other_id=pair[1], likeness=likeness))


def _named(lead: Lead) -> twins.Named:
    return twins.Named(lead.id, lead.company_name or "", lead.city, lead.cnpj)
