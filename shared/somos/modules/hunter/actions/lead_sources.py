"""What each source answered, read as facts with their provenance, and kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from somos.kernel.hosts import domain_of
from somos.kernel.phones import normalise_phone
from somos.mesh.bulk import insert_rows
from somos.modules.hunter.queries.lead_sources import COLUMNS, facts_of
from somos.modules.hunter.rules import extraction_rules
from somos.modules.hunter.rules.extraction_rules import Rule
from somos.modules.hunter.rules.facts import Fact, Origin, chosen, fact, profile_of
from somos.modules.hunter.rules.naming import name_in_title, people_in, proper
from somos.modules.hunter.tables.lead_sources import LeadSource
from somos.modules.hunter.tables.leads import Lead
from somos.ports.company_registry import RegistryRecord
from somos.ports.search import SearchResult
from somos.ports.sites import PageText, SitePage


def of_search(result: SearchResult, seen_at: datetime) -> list[Fact]:
    """What one search result says of a company."""
    source: Origin = result.source
    method = f"serpapi.{'google' if source == 'web' else 'google_maps'}"

    def say(field: str, value: str | None) -> list[Fact]:
        return fact(field, value, source, method, result.url, seen_at)

    profile = profile_of(result.url)
    name = result.title if source == "maps" else name_in_title(result.title, domain_of(result.url))
    facts = [
        *say("company_name", name),
        *say("domain", result.url),
        *say("phone", result.phone),
        *say("address", result.address),
        *say("city", result.city),
        *say("uf", result.uf),
        *say("segment" if source == "maps" else "resumo", result.snippet),
    ]
    if name != result.title:
        facts += say("resumo", result.title)
    if profile:
        facts += say(*profile)
    return facts


def of_site(page: SitePage, rules: Sequence[Rule], domain: str | None, seen_at: datetime) -> list[Fact]:
    """What a company's own site says. Somebody else's addresses on it are left out."""
    if page.status >= 400:
        return []

    def say(field: str, value: str, method: str, written: str | None = None, rank: int = 0) -> list[Fact]:
        where = page.found_on.get(written or value, page.url)
        return fact(field, value, "site", method, where, seen_at, rank)

    facts: list[Fact] = []
    emails = extraction_rules.own_first(extraction_rules.kept("email", page.emails, rules), domain)
    for rank, email in enumerate(emails):
        facts += say("email", email, "site.email", rank=rank)
    whatsapps = extraction_rules.kept("phone", page.whatsapps, rules)
    for rank, phone in enumerate(whatsapps):
        facts += say("phone", phone, "site.whatsapp", rank=rank)
    numbers = {number: phone for phone in page.phones if (number := normalise_phone(phone))}
    for rank, number in enumerate(extraction_rules.mobile_first(extraction_rules.kept("phone", numbers, rules))):
        facts += say("phone", number, "site.phone", numbers[number], rank=len(whatsapps) + rank)
    for network, link in sorted(page.socials.items()):
        if extraction_rules.kept("social", [link], rules):
            facts += say(network, link, "site.social") if network in ("instagram", "linkedin", "facebook") else []
    for rank, cnpj in enumerate(page.cnpjs[:1]):
        facts += say("cnpj", cnpj, "site.cnpj", rank=rank)
    facts += say("company_name", name_in_title(page.title, domain), "site.title")
    facts += say("resumo", page.description, "site.description")
    parts = page.pages or [PageText(url=page.url, text=page.text)]
    for part in parts:
        facts += fact("texto", part.text, "site", "site.text", part.url, seen_at)
    return facts + _people(parts, seen_at)


def _people(parts: Sequence[PageText], seen_at: datetime) -> list[Fact]:
    """The first person the site introduces with a role."""
    for part in parts:
        for name, role in people_in(part.text)[:1]:
            return [
                *fact("contact_name", name, "site", "site.people", part.url, seen_at),
                *fact("contact_role", role, "site", "site.people", part.url, seen_at),
            ]
    return []


def of_registry(record: RegistryRecord, seen_at: datetime) -> list[Fact]:
    """What the federal registry says. Its phone and e-mail are often the accountant's (see `facts`)."""

    def say(field: str, value: str | None, rank: int = 0) -> list[Fact]:
        return fact(field, value, "registry", "receita", None, seen_at, rank)

    facts = [
        *say("cnpj", record.cnpj),
        *say("legal_name", proper(record.legal_name)),
        *say("company_name", proper(record.trade_name or record.legal_name)),
        *say("registry_status", "ativa" if record.active else record.status),
        *say("size", record.size),
        *say("address", proper(record.address)),
        *say("city", proper(record.city)),
        *say("uf", record.uf),
        *say("email", record.email),
    ]
    for rank, phone in enumerate(record.phones):
        facts += say("phone", phone, rank)
    if record.activity:
        facts += [*say("cnae", record.activity.code), *say("atividade", record.activity.name)]
        facts += say("segment", record.activity.name)
    if record.partners:
        facts += [*say("contact_name", proper(record.partners[0].name)), *say("contact_role", record.partners[0].role)]
    return facts


def add_facts(db: Session, lead_id: UUID, facts: Iterable[Fact]) -> None:
    """Store what is new; a value seen again at the same place is one row."""
    add_first_facts(db, {lead_id: facts}, {_same(fact) for fact in facts_of(db, lead_id)})


def add_first_facts(
    db: Session, of: Mapping[UUID, Iterable[Fact]], known: Collection[tuple[str, str, str, str | None]] = ()
) -> None:
    """Store facts of leads that have none yet, for any number of leads at once."""
    rows = []
    for lead_id, facts in of.items():
        fresh = {_same(fact): fact for fact in reversed(list(facts)) if _same(fact) not in known}
        rows += [{"lead_id": lead_id, **asdict(fact)} for fact in reversed(fresh.values())]
    insert_rows(db, LeadSource, rows)


def show(lead: Lead, facts: Iterable[Fact]) -> None:
    """Put the winning value of each field on the lead."""
    best = chosen(facts)
    for name in COLUMNS:
        setattr(lead, name, best[name].value if name in best else None)
    lead.employees = int(best["employees"].value) if "employees" in best else None


def _same(fact: Fact) -> tuple[str, str, str, str | None]:
    return fact.field, fact.value, fact.source, fact.url
