"""How a company that was come across becomes a lead, once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, delete, literal, select
from sqlalchemy.orm import Session

from somos.mesh.bulk import insert_rows
from somos.mesh.clock import day_of
from somos.mesh.ids import uuid7
from somos.modules.hunter.actions import lead_keys
from somos.modules.hunter.actions.lead_sources import add_facts, add_first_facts, show
from somos.modules.hunter.rules.facts import Fact, Key, late
from somos.modules.hunter.rules.limits import RETENTION_DAYS
from somos.modules.hunter.rules.merge_suggestions import may_be_one
from somos.modules.hunter.tables.lead_keys import LeadKey
from somos.modules.hunter.tables.lead_origins import LeadOrigin
from somos.modules.hunter.tables.leads import Lead
from somos.modules.hunter.tables.search_sessions import SearchSession

LEGAL_BASIS = "Legítimo interesse (LGPD, art. 7º, IX): dados profissionais publicados pela própria empresa"


@dataclass(frozen=True)
class Seen:
    """One company at one place: a search result, a line of a file."""

    source: str
    external_id: str
    url: str | None
    facts: tuple[Fact, ...]


@dataclass(eq=False)
class Company:
    """Everything seen of one company in this batch; `at` are positions in the batch."""

    hashes: dict[str, Key] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    cnpj: str | None = None

    @classmethod
    def of(cls, hashes: dict[str, Key], seen: Seen, position: int) -> "Company":
        cnpj = next((key.value for key in hashes.values() if key.kind == "cnpj"), None)
        return cls(hashes, [seen], [position], cnpj)

    @property
    def facts(self) -> list[Fact]:
        return [fact for seen in self.seen for fact in seen.facts]

    def names(self) -> list[object]:
        """Everything by which another result is known to be of this company."""
        return [*self.hashes, *((one.source, one.external_id) for one in self.seen)]

    def take_over(self, other: "Company") -> None:
        """Another's results are of this company too."""
        self.hashes |= other.hashes
        self.seen += other.seen
        self.at += other.at
        self.cnpj = self.cnpj or other.cnpj


@dataclass
class Intake:
    """What became of a batch, by position."""

    new: list[UUID] = field(default_factory=list)
    created: dict[int, Lead] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    known: dict[int, Lead] = field(default_factory=dict)
    twins: dict[int, int] = field(default_factory=dict)  # position -> position of the same company before it
    ignored: set[int] = field(default_factory=set)


def take_in(
    db: Session,
    batch: Sequence[Seen],
    session: SearchSession,
    *,
    most: int,
    secret: str,
    now: datetime,
) -> Intake:
    """Store up to `most` new leads out of a batch; the rest of it stays untaken. Known companies learn.

    Two results with a key in common are one company; a key that a lead already holds makes it that lead. Two CNPJs
    stay two companies whatever else they share.
    """
    result = Intake()
    companies = _companies(batch, secret, result)
    holders = lead_keys.owners(db, {hash_ for company in companies for hash_ in company.hashes})
    come_across = _come_across(db, batch)
    cnpjs = lead_keys.cnpjs_of(db, [*holders.values(), *come_across.values()])
    fresh: list[tuple[Lead, Company]] = []
    for company in companies:
        holder = _holder(company, holders, come_across, cnpjs)
        if holder is not None:
            if company.cnpj is not None:
                cnpjs.setdefault(holder.id, company.cnpj)
            _learn(db, company, holder, result)
        elif len(fresh) < most:
            fresh.append((_lead(company, session, now), company))
            result.taken.update(company.at)
    if fresh:
        db.add_all([lead for lead, _ in fresh])
        db.flush()
        _release_erased(db, [company for _, company in fresh], holders)
        lead_keys.claim(db, [(lead.id, hash_, key) for lead, company in fresh for hash_, key in company.hashes.items()])
        add_first_facts(db, {lead.id: company.facts for lead, company in fresh})
        result.new = [lead.id for lead, _ in fresh]
        result.created = {position: lead for lead, company in fresh for position in company.at}
    seen = [(lead.id, one) for lead, company in fresh for one in company.seen]
    seen += [(lead.id, batch[position]) for position, lead in result.known.items() if not _is_closed(lead)]
    _remember(db, session, seen, now)
    return result


def _companies(batch: Sequence[Seen], secret: str, result: Intake) -> list[Company]:
    """The batch by company, in the order of first sight."""
    by_name: dict[object, list[Company]] = {}  # every hash, and every (source, id)
    for position, seen in enumerate(batch):
        hashes = lead_keys.hashes_of(secret, seen.facts)
        if not hashes and not (seen.source == "csv" and any(fact.field == "company_name" for fact in seen.facts)):
            result.ignored.add(position)
            continue
        sighted = Company.of(hashes, seen, position)
        first, *others = _same(sighted, by_name) or [sighted]
        if first is not sighted:
            result.twins[position] = first.at[0]
            others.append(sighted)
        for other in others:
            first.take_over(other)
        for name in first.names():
            known = [company for company in by_name.get(name, ()) if company is not first and company not in others]
            by_name[name] = [*known, first]
    return sorted({company for known in by_name.values() for company in known}, key=_first)


def _same(company: Company, by_name: dict[object, list[Company]]) -> list[Company]:
    """The companies that this one is, the first seen first: together they have one CNPJ at most."""
    named = {other for name in company.names() for other in by_name.get(name, ())}
    same: list[Company] = []
    cnpj = company.cnpj
    for other in sorted(named, key=_first):
        if may_be_one(cnpj, other.cnpj):
            same.append(other)
            cnpj = cnpj or other.cnpj
    return same


def _first(company: Company) -> int:
    return company.at[0]


def _come_across(db: Session, batch: Sequence[Seen]) -> dict[tuple[str, str], Lead]:
    statement = (
        select(LeadOrigin.source, LeadOrigin.external_id, Lead)
        .join(Lead, Lead.id == LeadOrigin.lead_id)
        .where(LeadOrigin.external_id == any_(literal([seen.external_id for seen in batch], ARRAY(Text))))
    )
    return {(row.source, row.external_id): row.Lead for row in db.execute(statement)}


def _holder(
    company: Company, holders: dict[str, Lead], come_across: dict[tuple[str, str], Lead], cnpjs: dict[UUID, str]
) -> Lead | None:
    """The lead this company already is: one that is refused first, so that nobody gets in beside it."""
    candidates = [
        holders[hash_]
        for hash_, key in company.hashes.items()
        if hash_ in holders and _may_be(company, holders[hash_], key, cnpjs)
    ]
    crossed = [come_across[key] for seen in company.seen if (key := (seen.source, seen.external_id)) in come_across]
    candidates += [lead for lead in crossed if may_be_one(company.cnpj, cnpjs.get(lead.id))]
    live = [lead for lead in candidates if not _is_free(lead)]
    return min(live, key=lambda lead: (not lead_keys.is_refused(lead), lead.id), default=None)


def _may_be(company: Company, lead: Lead, key: Key, cnpjs: dict[UUID, str]) -> bool:
    """Another CNPJ is another company, except that nobody is written to at the address of a refused one."""
    if lead_keys.is_refused(lead) and key.kind in ("phone", "email"):
        return True
    return may_be_one(company.cnpj, cnpjs.get(lead.id))


def _is_free(lead: Lead) -> bool:
    """Erased only because its time was over."""
    return lead.state == "erased" and lead.erased_why == "retention"


def _learn(db: Session, company: Company, holder: Lead, result: Intake) -> None:
    """What was seen again is remembered; it changes no score that is being made."""
    result.taken.update(company.at)
    result.known.update(dict.fromkeys(company.at, holder))
    if not _is_closed(holder):
        add_facts(db, holder.id, late(company.facts))


def _is_closed(lead: Lead) -> bool:
    """Nothing more is kept of it."""
    return lead.state in ("blocked", "erased")


def _lead(company: Company, session: SearchSession, now: datetime) -> Lead:
    lead = Lead(
        id=uuid7(),
        source=company.seen[0].source,
        session_id=session.id,
        icp_id=session.icp_id,
        icp_number=session.icp_number,
        owner_id=session.requested_by,
        legal_basis=LEGAL_BASIS,
        collected_at=now,
        retain_until=day_of(now) + timedelta(days=RETENTION_DAYS),
    )
    show(lead, company.facts)
    return lead


def _release_erased(db: Session, companies: Iterable[Company], holders: dict[str, Lead]) -> None:
    """Keys of a company erased only because its time was over are free again."""
    free = [hash_ for company in companies for hash_ in company.hashes if hash_ in holders and _is_free(holders[hash_])]
    if free:
        db.execute(delete(LeadKey).where(LeadKey.hash.in_(free)))


def _remember(db: Session, session: SearchSession, seen: Iterable[tuple[UUID, Seen]], now: datetime) -> None:
    rows = [
        {
            "lead_id": lead_id,
            "session_id": session.id,
            "source": one.source,
            "external_id": one.external_id,
            "url": one.url,
            "seen_at": now,
        }
        for lead_id, one in sorted(seen, key=lambda pair: (pair[1].source, pair[1].external_id))
    ]
    insert_rows(db, LeadOrigin, rows, unless="source, external_id")
