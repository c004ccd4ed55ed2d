"""The ideal customer profile, and the searches it asks for."""

from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from somos.kernel.places import STATES
from somos.kernel.text import fold
from somos.modules.hunter.rules.limits import MAX_QUERIES

Source = Literal["web", "maps"]
SOURCES: tuple[Source, ...] = get_args(Source)

Term = Annotated[str, Field(min_length=2, max_length=80)]
City = Annotated[str, Field(min_length=2, max_length=80)]
Uf = Annotated[str, Field(pattern="^(" + "|".join(STATES) + ")$", examples=["SP"])]
Cnae = Annotated[str, Field(pattern="^[0-9]{2,7}$", description="CNAE ou o começo dele, só dígitos")]
Weight = Annotated[int, Field(ge=0, le=100)]


class Question(BaseModel):
    """A criterion of the customer's own."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", str_strip_whitespace=True)

    question: str = Field(min_length=5, max_length=200, examples=["A empresa já produziu vídeos?"])
    keywords: list[Term] = Field(default=[], max_length=20)
    weight: Weight = 20


class Icp(BaseModel):
    """Who is an ideal client: what the company does, where, how big, who decides, and what excludes it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", str_strip_whitespace=True)

    description: str = Field("", max_length=2000, description="Em texto livre; orienta quem lê o lead")
    segments: list[Term] = Field(min_length=1, max_length=10, examples=[["agência de publicidade"]])
    cnaes: list[Cnae] = Field(default=[], max_length=20)
    cities: list[City] = Field(default=[], max_length=20, examples=[["São Paulo"]])
    ufs: list[Uf] = Field(default=[], max_length=27, examples=[["SP"]])
    employees_min: int | None = Field(None, ge=1, le=1_000_000)
    employees_max: int | None = Field(None, ge=1, le=1_000_000)
    roles: list[Term] = Field(default=[], max_length=20, description="Cargos de quem decide")
    signals: list[Term] = Field(default=[], max_length=20, description="Palavras que indicam necessidade")
    questions: list[Question] = Field(default=[], max_length=10)
    weights: dict[Literal["segment", "location", "size", "signals", "role", "contact"], Weight] = {}
    exclude_terms: list[Term] = Field(default=[], max_length=30)
    exclude_cnaes: list[Cnae] = Field(default=[], max_length=20)
    exclude_domains: list[Annotated[str, Field(max_length=253)]] = Field(default=[], max_length=200)

    @model_validator(mode="after")
    def _sizes_in_order(self) -> "Icp":
        if self.employees_min and self.employees_max and self.employees_min > self.employees_max:
            raise ValueError("O mínimo de funcionários é maior que o máximo")
        return self


@dataclass(frozen=True, slots=True)
class Query:
    """One text to search for in one source."""

    source: Source
    text: str


def search_queries(icp: Icp, sources: tuple[Source, ...] = SOURCES) -> list[Query]:
    """What to search for, the same list every time: each segment in each place, in each source."""
    places: list[str] = list(icp.cities) or [STATES[uf] for uf in icp.ufs] or [""]
    queries: dict[tuple[str, str], Query] = {}
    for segment, place, source in product(icp.segments, places, sources):
        text = " ".join(f"{segment} {place}".split())
        queries.setdefault((source, fold(text)), Query(source, text))
    return list(queries.values())[:MAX_QUERIES]
