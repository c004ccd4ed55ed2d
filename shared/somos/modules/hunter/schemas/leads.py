"""Shapes of leads: in lists, in full, what a person corrects and what a person decides."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy import ColumnElement, func, or_

from somos.kernel.documents import normalise_cnpj
from somos.kernel.emails import normalise_email
from somos.kernel.phones import normalise_phone
from somos.kernel.places import parse_state
from somos.kernel.text import fold
from somos.mesh import Body, Filter, Model, OneOf, Patch, Record, View
from somos.mesh.text_search import holds
from somos.modules.hunter.rules.facts import Origin
from somos.modules.hunter.rules.lead_exports import Layout
from somos.modules.hunter.rules.leads import DECISIONS, LEAD, NEVER_EXPORTED, RELATIONSHIPS, SOURCE_NAMES
from somos.modules.hunter.rules.rubric import Answered
from somos.modules.hunter.schemas.icp_profiles import Name
from somos.modules.hunter.tables.leads import Lead

LeadState = Annotated[str, OneOf(LEAD.states)]
Unreached = Annotated[str, OneOf(SOURCE_NAMES)]
Relationship = Annotated[str, OneOf(RELATIONSHIPS)]


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
    unreached: Unreached | None = Field(None, description="O que não respondeu enquanto o lead era avaliado")
    relationship: Relationship | None = None
    score_from: int | None = Field(None, ge=0, le=100)
    score_to: int | None = Field(None, ge=0, le=100)
    city: str | None = Field(None, max_length=120)
    q: str | None = Field(None, min_length=2, max_length=120)

    def clauses(self) -> list[ColumnElement[bool]]:
        apart = {"city": None, "q": None, "unreached": None}
        plain = self.model_copy(update={**apart, "uf": (self.uf or "").upper() or None})
        conditions = super(LeadFilter, plain).clauses()
        if self.unreached:
            conditions.append(Lead.unreached.contains([self.unreached]))
        if self.city:
            conditions.append(Lead.city_key == fold(self.city))
        if self.q:
            conditions.append(
                or_(
                    holds(func.lower(Lead.company_name), func.lower(self.q)),
                    holds(func.lower(Lead.domain), func.lower(self.q)),
                    holds(Lead.city_key, fold(self.q) or self.q),
                    Lead.name_words.contains([fold(self.q)]),
                )
            )
        return conditions

    def sought(self) -> list[list[str]]:
        if not self.q:
            return []
        return [[text] for text in {self.q, fold(self.q) or self.q}]


class ExportFilter(LeadFilter):
    """What to export; refused leads never are."""

    layout: Layout = "planilha"

    def clauses(self) -> list[ColumnElement[bool]]:
        return [*super().clauses(), Lead.state.not_in(NEVER_EXPORTED)]


def _or_fail(parse: Any, sentence: str) -> AfterValidator:
    def check(text: str) -> str:
        value: str | None = parse(text)
        if value is None:
            raise ValueError(sentence)
        return value

    return AfterValidator(check)


class LeadFields(Model):
    """What a person may know better than any source."""

    company_name: Name | None = None
    contact_name: Name | None = None
    contact_role: Annotated[str, Field(min_length=2, max_length=120)] | None = None
    phone: Annotated[str, Field(max_length=40), _or_fail(normalise_phone, "Não é um telefone válido")] | None = None
    email: Annotated[str, Field(max_length=320), _or_fail(normalise_email, "Não é um e-mail válido")] | None = None
    cnpj: Annotated[str, Field(max_length=20), _or_fail(normalise_cnpj, "Não é um CNPJ válido")] | None = None
    city: Annotated[str, Field(min_length=2, max_length=80)] | None = None
    uf: Annotated[str, Field(max_length=30), _or_fail(parse_state, "Não é uma UF")] | None = None
    owner_id: UUID | None = None


class LeadView(LeadFields, Record):
    """A lead in a list."""

    state: LeadState
    legal_name: str | None
    domain: str | None
    segment: str | None
    employees: int | None
    score: int | None
    reason: str | None
    refusal: str | None
    unreached: list[Unreached]
    relationship: Relationship | None
    last_contact_at: datetime | None
    later_until: date | None
    duplicate_of: UUID | None
    source: Origin
    session_id: UUID | None
    icp_id: UUID
    icp_number: int
    deal_id: UUID | None
    created_at: datetime
    updated_at: datetime


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
    answer: Answered
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
    prompt_version: str | None
    criteria: list[ScoredView]
    created_at: datetime


class LabelView(View):
    """What a person decided."""

    decision: Annotated[str, OneOf(DECISIONS)]
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


class LeadPatch(LeadFields, Patch):
    """What a person corrects; every value becomes the one that wins, with the person as its source."""


Reason = Annotated[str, Field(min_length=3, max_length=500, description="Por quê, em uma frase")]


class Decision(Body):
    """A decision and its reason."""

    reason: Reason


class Acceptance(Body):
    """A person says the lead is good; a reason is needed when the score said otherwise."""

    reason: Reason | None = None
