"""Shapes of requests and answers about profiles, searches and leads."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy import ColumnElement, or_

from somos.mesh.schemas import Body, Filter, View
from somos.modules.hunter.rules.exports import Layout
from somos.modules.hunter.rules.extraction import Action, Kind, refuse_pattern
from somos.modules.hunter.rules.icp import Icp, Source
from somos.modules.hunter.rules.limits import CREDITS_PER_SESSION, LEADS_PER_SEARCH, MAX_LEADS_PER_SEARCH
from somos.modules.hunter.rules.states import NEVER_EXPORTED
from somos.modules.hunter.tables import ExtractionRule, IcpProfile, Lead, MergeSuggestion, SearchSession
from somos.modules.keys import normalise_cnpj, normalise_email, normalise_phone
from somos.modules.places import parse_state
from somos.modules.sheet import fold

Name = Annotated[str, Field(min_length=2, max_length=120)]
Reason = Annotated[str, Field(min_length=3, max_length=500, description="Por quê, em uma frase")]
LeadState = Literal[
    "discovered", "enriching", "scored", "duplicate", "qualified", "rejected_campaign", "in_cadence", "replied",
    "accepted", "not_interested", "later", "converted", "blocked", "erased",
]  # fmt: skip
SessionState = Literal["queued", "running", "paused", "completed", "failed", "cancelled"]
Origin = Literal["person", "csv", "site", "maps", "web", "registry"]


# --- profiles -------------------------------------------------------------------------------------------


class IcpDraft(Body):
    """A profile to save."""

    name: Name = Field(examples=["Agências de publicidade em São Paulo, 50+ funcionários"])
    criteria: Icp


class IcpChange(Body):
    """What of a profile changes; new criteria are a new version."""

    name: Name | None = None
    criteria: Icp | None = None
    archived: bool | None = None


class IcpFilter(Filter):
    """Profiles; archived ones only when asked for."""

    table: ClassVar[type[IcpProfile]] = IcpProfile
    sort: Literal["id", "-id", "name", "-name"] = "name"
    archived: bool = False


class IcpSummary(View):
    """A profile in a list."""

    id: UUID
    name: str
    number: int = Field(description="Versão mais nova")
    archived: bool
    created_at: datetime
    updated_at: datetime
    version: int


class CriterionView(View):
    """One question of the rubric and what a full yes is worth."""

    id: str
    label: str
    question: str
    points: int


class IcpView(IcpSummary):
    """A profile with its newest criteria, and the rubric they make."""

    criteria: Icp
    rubric_version: str
    rubric: list[CriterionView]


class IcpVersionView(View):
    """One saved version; never changed."""

    id: UUID
    icp_id: UUID
    number: int
    criteria: Icp
    saved_by: UUID
    created_at: datetime


class VersionFilter(Filter):
    """Versions of one profile, newest first."""

    sort: Literal["number", "-number"] = "-number"


# --- searches -------------------------------------------------------------------------------------------


class SearchRequest(Body):
    """Which profile to search for, where, how many leads more, and at what cost at most."""

    icp_id: UUID
    sources: list[Source] = Field(default=["web", "maps"], min_length=1, max_length=2)
    limit: int = Field(LEADS_PER_SEARCH, ge=1, le=MAX_LEADS_PER_SEARCH, description="Quantos leads a mais")
    credits_cap: int = Field(CREDITS_PER_SESSION, ge=1, le=1000, description="Teto de consultas pagas desta busca")


class SessionResume(Body):
    """Go on, perhaps with a higher cap."""

    credits_cap: int | None = Field(None, ge=1, le=1000)


class SessionFilter(Filter):
    """Searches by profile, state and kind."""

    table: ClassVar[type[SearchSession]] = SearchSession
    sort: Literal["id", "-id", "updated_at", "-updated_at"] = "-id"
    icp_id: UUID | None = None
    state: SessionState | None = None
    kind: Literal["search", "import"] | None = None
    requested_by: UUID | None = None


class SessionView(View):
    """A search: how far it is and what it cost."""

    id: UUID
    kind: Literal["search", "import"]
    icp_id: UUID
    icp_number: int
    task_id: UUID
    requested_by: UUID
    state: SessionState
    reason: str | None
    sources: list[str]
    target: int
    credits_cap: int
    found: int
    repeated: int
    ignored: int
    settled: int
    qualified: int
    rejected: int
    duplicates: int
    blocked: int
    credits: int
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class SessionDetail(SessionView):
    """With what is left of the day's paid look-ups."""

    credits_today: int
    credits_per_day: int


# --- leads ----------------------------------------------------------------------------------------------


class LeadFilter(Filter):
    """Leads by what they are, where they come from and what they are worth; `q` searches name, site and city."""

    table: ClassVar[type[Lead]] = Lead
    sort: Literal["id", "-id", "score", "-score", "company_name", "-company_name", "updated_at", "-updated_at"] = "-id"
    state: LeadState | None = None
    icp_id: UUID | None = None
    icp_number: int | None = Field(None, ge=1, le=2**31 - 1)
    session_id: UUID | None = None
    owner_id: UUID | None = None
    source: Origin | None = None
    uf: str | None = Field(None, min_length=2, max_length=2)
    relationship: Literal["client", "open_deal"] | None = None
    score_from: int | None = Field(None, ge=0, le=100)
    score_to: int | None = Field(None, ge=0, le=100)
    city: str | None = Field(None, max_length=120)
    q: str | None = Field(None, min_length=2, max_length=120)

    def clauses(self) -> list[ColumnElement[bool]]:
        plain = self.model_copy(update={"city": None, "q": None, "uf": (self.uf or "").upper() or None})
        found = super(LeadFilter, plain).clauses()
        if self.city:
            found.append(Lead.city_key == fold(self.city))
        if self.q:
            like = f"%{self.q.replace('%', '').replace('_', '')}%"
            found.append(
                or_(
                    Lead.company_name.ilike(like),
                    Lead.domain.ilike(like),
                    Lead.city_key.like(f"%{fold(self.q)}%"),
                    Lead.name_words.contains([fold(self.q)]),
                )
            )
        return found


class ExportFilter(LeadFilter):
    """What to export; refused leads never are."""

    layout: Layout = "planilha"

    def clauses(self) -> list[ColumnElement[bool]]:
        return [*super().clauses(), Lead.state.not_in(NEVER_EXPORTED)]


class LeadView(View):
    """A lead in a list."""

    id: UUID
    state: LeadState
    company_name: str | None
    legal_name: str | None
    cnpj: str | None
    domain: str | None
    phone: str | None
    email: str | None
    contact_name: str | None
    contact_role: str | None
    city: str | None
    uf: str | None
    segment: str | None
    employees: int | None
    score: int | None
    reason: str | None
    refusal: str | None
    relationship: Literal["client", "open_deal"] | None
    last_contact_at: datetime | None
    later_until: date | None
    duplicate_of: UUID | None
    source: Origin
    session_id: UUID | None
    icp_id: UUID
    icp_number: int
    owner_id: UUID | None
    deal_id: UUID | None
    created_at: datetime
    updated_at: datetime
    version: int


class SourceView(View):
    """Where one value comes from; `wins` marks the one the lead shows."""

    field: str
    value: str
    source: Origin
    method: str
    url: str | None
    seen_at: datetime
    late: bool
    wins: bool


class ScoredView(View):
    """One criterion, answered."""

    id: str
    label: str
    answer: Literal["yes", "partly", "no", "unknown"]
    value: str | None
    quote: str | None
    url: str | None
    points: int
    of: int
    by: Literal["code", "model"]


class ScoreView(View):
    """What a lead is worth, criterion by criterion."""

    total: int
    qualified: bool
    exclusion: str | None
    reason: str
    rubric_version: str
    evidence_hash: str
    icp_number: int
    model: str | None
    criteria: list[ScoredView]
    created_at: datetime


class LabelView(View):
    """What a person decided."""

    decision: Literal["accepted", "rejected", "never_contact"]
    reason: str | None
    decided_by: UUID
    created_at: datetime


class LgpdView(View):
    """On what ground this is kept, from where, since when and until when."""

    legal_basis: str
    source: Origin
    collected_at: datetime
    retain_until: date
    erased_at: datetime | None
    erased_why: str | None


class LeadDetail(LeadView):
    """A lead with its provenance, score, decisions and LGPD card."""

    address: str | None
    cnae: str | None
    size: str | None
    registry_status: str | None
    instagram: str | None
    linkedin: str | None
    facebook: str | None
    sources: list[SourceView]
    score_detail: ScoreView | None
    labels: list[LabelView]
    lgpd: LgpdView


def _or_fail(parse: Any, sentence: str) -> AfterValidator:
    def check(text: str) -> str:
        value: str | None = parse(text)
        if value is None:
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


class LeadChange(Body):
    """What a person corrects; every value becomes the one that wins, with the person as its source."""

    company_name: Name | None = None
    contact_name: Name | None = None
    contact_role: Annotated[str, Field(min_length=2, max_length=120)] | None = None
    phone: Annotated[str, Field(max_length=40), _or_fail(normalise_phone, "Não é um telefone válido")] | None = None
    email: Annotated[str, Field(max_length=320), _or_fail(normalise_email, "Não é um e-mail válido")] | None = None
    cnpj: Annotated[str, Field(max_length=20), _or_fail(normalise_cnpj, "Não é um CNPJ válido")] | None = None
    city: Annotated[str, Field(min_length=2, max_length=80)] | None = None
    uf: Annotated[str, Field(max_length=30), _or_fail(parse_state, "Não é uma UF")] | None = None
    owner_id: UUID | None = None


class Decision(Body):
    """A decision and its reason."""

    reason: Reason


class Acceptance(Body):
    """A person says the lead is good; a reason is needed when the score said otherwise."""

    reason: Reason | None = None


class SuggestionFilter(Filter):
    """Pairs of leads that look alike."""

    table: ClassVar[type[MergeSuggestion]] = MergeSuggestion
    sort: Literal["id", "-id", "likeness", "-likeness"] = "-likeness"
    state: Literal["open", "merged", "dismissed"] = "open"


class SuggestionView(View):
    """Two leads alike in name and city."""

    id: UUID
    lead_id: UUID
    other_id: UUID
    likeness: int
    state: Literal["open", "merged", "dismissed"]
    decided_by: UUID | None
    created_at: datetime


class MergeChoice(Body):
    """Which of the two stays."""

    survivor_id: UUID


# --- spreadsheets ---------------------------------------------------------------------------------------


class ImportFilter(Filter):
    """For which profile the companies of the file are judged."""

    icp_id: UUID


class RefusedLine(View):
    """A line that was not taken, and why."""

    line: int
    reason: str


class ImportReport(View):
    """What became of every line of the file; the three lists account for all of them."""

    session_id: UUID
    task_id: UUID
    lines: int
    accepted: int
    duplicates: list[RefusedLine]
    rejected: list[RefusedLine]
    warnings: list[RefusedLine]
    columns: dict[str, str] = Field(description="Campo lido -> coluna do arquivo")
    ignored_columns: list[str]
    encoding: str
    delimiter: str


# --- reading rules --------------------------------------------------------------------------------------


def _pattern(text: str) -> str:
    refusal = refuse_pattern(text)
    if refusal:
        raise ValueError(refusal)
    return text.lower()


Pattern = Annotated[
    str,
    Field(min_length=2, max_length=100, description="`*` é qualquer texto", examples=["no-reply@*"]),
    AfterValidator(_pattern),
]


class ExtractionRuleDraft(Body):
    """An address on sites to ignore or to prefer."""

    kind: Kind
    action: Action
    pattern: Pattern
    note: str | None = Field(None, max_length=300)


class ExtractionRuleChange(Body):
    """What of a rule changes."""

    action: Action | None = None
    note: str | None = Field(None, max_length=300)
    active: bool | None = None


class ExtractionRuleFilter(Filter):
    """Rules by kind."""

    table: ClassVar[type[ExtractionRule]] = ExtractionRule
    sort: Literal["id", "-id", "pattern", "-pattern"] = "pattern"
    kind: Kind | None = None
    active: bool | None = None


class ExtractionRuleView(View):
    """A rule as it stands."""

    id: UUID
    kind: Kind
    action: Action
    pattern: str
    note: str | None
    active: bool
    created_at: datetime
    updated_at: datetime
    version: int
