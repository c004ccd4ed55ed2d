"""The score: a weighted rubric. Somebody fills the criteria with quotes; code checks, sums and explains.

score = f(rubric version, evidence): the same evidence always gives the same number, and whoever filled the
criteria cannot give points to what nobody wrote.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from somos.kernel.documents import format_cnpj
from somos.kernel.places import same_place
from somos.kernel.text import fold
from somos.modules.hunter.rules.evidence import Line, where_quoted
from somos.modules.hunter.rules.facts import Fact, chosen, headcount
from somos.modules.hunter.rules.icp_profiles import Icp
from somos.modules.hunter.rules.limits import QUALIFY_AT

Answered = Literal["yes", "partly", "no", "unknown"]
ANSWERS: tuple[Answered, ...] = get_args(Answered)
# Where a size is asked for, a company of unknown size stays below the limit: 65 of 100.
_WEIGHTS = {"segment": 40, "location": 15, "size": 35, "signals": 15, "role": 10, "contact": 10}
_NEAR_SIZE = 0.6  # this close to the size asked for is partly
_HEADCOUNT_WORDS = ("funcionários", "colaboradores", "profissionais", "pessoas", "equipe")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question; `points` is what a full yes is worth."""

    id: str
    label: str
    question: str
    keywords: tuple[str, ...]
    points: int


@dataclass(frozen=True, slots=True)
class Rubric:
    """The criteria of one ICP version, worth 100 points together."""

    version: str
    criteria: tuple[Criterion, ...]

    @property
    def keywords(self) -> list[str]:
        return [word for criterion in self.criteria for word in criterion.keywords]


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says of one criterion."""

    id: str
    answer: Answered = "unknown"
    value: str | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One criterion with its answer, checked, and its points. `by`: code or model."""

    id: str
    label: str
    answer: Answered
    value: str | None
    quote: str | None
    url: str | None
    points: int
    of: int
    by: Literal["code", "model"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the lead is worth and why. `exclusion` refuses whatever the score."""

    total: int
    qualified: bool
    reason: str
    exclusion: str | None
    criteria: tuple[Scored, ...]


def rubric_of(icp: Icp) -> Rubric:
    """The criteria that this ICP asks for, weighted so that they sum to 100."""
    questions: list[tuple[str, str, str, tuple[str, ...], int]] = []

    def ask(id: str, label: str, question: str, keywords: Iterable[str] = ()) -> None:
        weight = icp.weights.get(id, _WEIGHTS[id])  # type: ignore[call-overload]
        questions.append((id, label, question, tuple(keywords), weight))

    ask("segment", "segmento", f"A empresa atua em: {', '.join(icp.segments)}?", icp.segments)
    if icp.cities or icp.ufs:
        places = [*icp.cities, *icp.ufs]
        ask("location", "localização", f"A empresa fica em: {', '.join(places)}?", places)
    if icp.employees_min or icp.employees_max:
        ask("size", "porte", f"Quantas pessoas trabalham na empresa? ({_size_wanted(icp)})", _HEADCOUNT_WORDS)
    if icp.signals:
        ask("signals", "sinais de necessidade", f"Há sinais de: {', '.join(icp.signals)}?", icp.signals)
    if icp.roles:
        ask("role", "decisor", f"Há contato com o cargo: {', '.join(icp.roles)}?", icp.roles)
    ask("contact", "contato", "Há telefone ou e-mail da própria empresa?")
    for number, own in enumerate(icp.questions, start=1):
        questions.append((f"q{number}", own.question, own.question, tuple(own.keywords), own.weight))

    shares = _shares([weight for *_, weight in questions])
    criteria = tuple(
        Criterion(id, label, question, keywords, points)
        for (id, label, question, keywords, _), points in zip(questions, shares, strict=True)
        if points
    )
    # Whatever decides an answer or excludes a company is part of the version.
    decides = [asdict(criterion) for criterion in criteria], icp.model_dump(exclude={"description"})
    version = hashlib.sha256(json.dumps(decides, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:12]
    return Rubric(version, criteria)


def _shares(weights: Sequence[int]) -> list[int]:
    """Integers in proportion to the weights that sum to 100: the largest remainders get the rest."""
    total = sum(weights)
    if not total:
        return [100] + [0] * (len(weights) - 1)
    shares = [weight * 100 // total for weight in weights]
    by_rest = sorted(range(len(weights)), key=lambda i: (-(weights[i] * 100 % total), i))
    for i in by_rest[: 100 - sum(shares)]:
        shares[i] += 1
    return shares


def _size_wanted(icp: Icp) -> str:
    if icp.employees_min and icp.employees_max:
        return f"de {icp.employees_min} a {icp.employees_max}"
    return f"{icp.employees_min} ou mais" if icp.employees_min else f"até {icp.employees_max}"


# --- what code answers by itself ------------------------------------------------------------------------


def answered_by_code(rubric: Rubric, icp: Icp, facts: Sequence[Fact]) -> dict[str, Answer]:
    """Answers that stand in structured fields; nobody is asked for these."""
    won = chosen(fact for fact in facts if not fact.late)
    best = {field: fact.value for field, fact in won.items()}
    answers: dict[str, Answer] = {}
    for criterion in rubric.criteria:
        answer = None
        if criterion.id == "segment" and icp.cnaes and "cnae" in best:
            activity = best["cnae"]
            fits = any(activity.startswith(prefix) for prefix in icp.cnaes)
            answer = Answer("segment", "yes" if fits else "no", f"CNAE {activity}", activity)
        elif criterion.id == "location":
            answer = _location(icp, best.get("city"), best.get("uf"))
        elif criterion.id == "size" and "employees" in best:
            answer = _size(icp, int(best["employees"]), best["employees"])
        elif criterion.id == "contact":
            answer = _contact(won)
        elif criterion.id == "role" and "contact_role" in best:
            contact_role = fold(best["contact_role"])
            fits = any(fold(role) in contact_role or contact_role in fold(role) for role in icp.roles)
            answer = Answer("role", "yes" if fits else "partly", best["contact_role"], best["contact_role"])
        if answer:
            answers[criterion.id] = answer
    return answers


def _contact(won: Mapping[str, Fact]) -> Answer:
    """The registry's phone and e-mail are often the accountant's: worth half."""
    known = {name: won[field] for field, name in (("phone", "telefone"), ("email", "e-mail")) if field in won}
    if not known:
        return Answer("contact", "no")
    own = any(fact.source != "registry" for fact in known.values())
    return Answer("contact", "yes" if own else "partly", " e ".join(known))


def _location(icp: Icp, city: str | None, uf: str | None) -> Answer | None:
    if not city and not uf:
        return None
    where = "/".join(part for part in (city, uf) if part)
    same_city = any(same_place(city, one) for one in icp.cities)
    same_uf = uf in icp.ufs if icp.ufs and uf else None
    if same_city and same_uf is not False:
        answer: Answered = "yes"
    elif not icp.cities and same_uf:
        answer = "yes"
    elif icp.cities and not city:
        return None if same_uf is not False else Answer("location", "no", where, uf)
    else:
        # In the state, but not in one of the cities named.
        answer = "partly" if same_uf and icp.cities else "no"
    return Answer("location", answer, where, city or uf)


def _size(icp: Icp, count: int, quote: str | None) -> Answer:
    low, high = icp.employees_min or 0, icp.employees_max or count
    near = low * _NEAR_SIZE <= count <= high / _NEAR_SIZE
    return Answer("size", "yes" if low <= count <= high else "partly" if near else "no", str(count), quote)


# --- judging --------------------------------------------------------------------------------------------


def judge(
    rubric: Rubric,
    icp: Icp,
    facts: Sequence[Fact],
    lines: Sequence[Line],
    answers: Iterable[Answer] = (),
) -> Verdict:
    """Check what was said against the evidence, sum the points, and write down why."""
    by_code = answered_by_code(rubric, icp, facts)
    by_model: Mapping[str, Answer] = {answer.id: answer for answer in answers}
    exclusion = excluded_by(icp, facts)
    criteria = []
    for criterion in rubric.criteria:
        if criterion.id in by_code:
            answer, line = by_code[criterion.id], where_quoted(by_code[criterion.id].quote, lines)
        else:
            answer, line = _checked(criterion, by_model.get(criterion.id), icp, lines)
        earned = {"yes": criterion.points, "partly": criterion.points // 2}.get(answer.answer, 0)
        criteria.append(
            Scored(
                id=criterion.id,
                label=criterion.label,
                answer=answer.answer,
                value=answer.value,
                quote=answer.quote,
                url=line.url if line else None,
                points=earned,
                of=criterion.points,
                by="code" if criterion.id in by_code else "model",
            )
        )
        if criterion.id == "size" and answer.answer == "no":
            exclusion = exclusion or f"Tem {answer.value} pessoas; o ICP pede {_size_wanted(icp)}."
    total = 0 if is_inactive(facts) else sum(scored.points for scored in criteria)
    return Verdict(
        total=total,
        qualified=total >= QUALIFY_AT and exclusion is None,
        reason=_reason(total, criteria, exclusion),
        exclusion=exclusion,
        criteria=tuple(criteria),
    )


def _checked(
    criterion: Criterion, answer: Answer | None, icp: Icp, lines: Sequence[Line]
) -> tuple[Answer, Line | None]:
    """A yes without words from the evidence is unknown; how many people is decided by the number quoted."""
    unknown = Answer(criterion.id)
    if answer is None or answer.answer == "unknown":
        return unknown, None
    line = where_quoted(answer.quote, lines)
    if criterion.id == "size":
        count = headcount(answer.quote or "") if line else None
        return (_size(icp, count, answer.quote), line) if count else (unknown, None)
    if line is None and answer.answer != "no":
        return unknown, None
    return (answer, line) if line else (Answer(criterion.id, "no"), None)


def is_inactive(facts: Iterable[Fact]) -> bool:
    """Whether the registry says the company may not trade."""
    status = chosen(facts).get("registry_status")
    return status is not None and fold(status.value) != "ativa"


def excluded_by(icp: Icp, facts: Sequence[Fact]) -> str | None:
    """Why this company is refused whatever its score, as a sentence; None when nothing excludes it."""
    best = {field: fact.value for field, fact in chosen(facts).items()}
    if is_inactive(facts):
        cnpj = f" (CNPJ {format_cnpj(best['cnpj'])})" if "cnpj" in best else ""
        return f"Situação na Receita Federal: {best['registry_status'].lower()}{cnpj}; a empresa não está ativa."
    named = " ".join(fold(best.get(field, "")) for field in ("company_name", "legal_name", "segment"))
    for term in icp.exclude_terms:
        if f" {fold(term)} " in f" {named} ":
            return f"O ICP exclui “{term}”."
    for cnae in icp.exclude_cnaes:
        if best.get("cnae", "").startswith(cnae):
            return f"O ICP exclui o CNAE {cnae}."
    domain = best.get("domain")
    if domain and any(domain == _host(other) for other in icp.exclude_domains):
        return f"O ICP exclui o site {domain}."
    location = _location(icp, best.get("city"), best.get("uf")) if icp.cities or icp.ufs else None
    if location and location.answer == "no" and icp.weights.get("location", 1):
        return f"Fica em {location.value}, fora da região do ICP."
    return None


def _host(text: str) -> str:
    return text.strip().lower().removeprefix("www.")


def needs_asking(rubric: Rubric, icp: Icp, facts: Sequence[Fact]) -> list[Criterion]:
    """The gate of the paid look-up: the criteria nobody but a model can answer; none for a refused company."""
    if excluded_by(icp, facts):
        return []
    known = answered_by_code(rubric, icp, facts)
    return [criterion for criterion in rubric.criteria if criterion.id not in known]


_ANSWER_WORDING = {"yes": "Sim", "partly": "Em parte", "no": "Não", "unknown": "Sem informação"}


def _reason(total: int, criteria: Sequence[Scored], exclusion: str | None) -> str:
    parts = [exclusion] if exclusion else []
    parts.append(f"Nota {total} de 100.")
    for answer, wording in _ANSWER_WORDING.items():
        about = [_about(scored) for scored in criteria if scored.answer == answer]
        if about:
            parts.append(f"{wording}: {'; '.join(about)}.")
    return " ".join(parts)


def _about(scored: Scored) -> str:
    words = scored.value if scored.by == "code" else scored.quote or scored.value
    if scored.answer == "unknown" or not words:
        return scored.label
    return f"{scored.label} (“{words[:117]}…”)" if len(words) > 118 else f"{scored.label} (“{words.rstrip('.')}”)"
