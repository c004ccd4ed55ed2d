"""What a lead is judged on: numbered lines with the field, the text and its address, the same every time."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from somos.kernel.text import fold
from somos.modules.hunter.rules.facts import Fact, chosen

MAX_LINES = 60
MAX_LINE = 300
_SENTENCES = re.compile(r"(?<=[.!?;])\s+|[\r\n]+|\s+[|•·]\s+")

# Shown to whoever judges, in this order: the company's own words before what a search engine cut out of them.
# Addresses of people are left out: they say nothing of the fit.
_LABELS = {
    "company_name": "nome", "legal_name": "razão social", "segment": "segmento", "atividade": "atividade",
    "cnae": "cnae", "city": "cidade", "uf": "uf", "employees": "funcionários", "size": "porte",
    "contact_role": "cargo do contato", "observacao": "observação", "texto": "site", "resumo": "resumo",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of evidence."""

    field: str
    text: str
    url: str | None = None

    def __str__(self) -> str:
        # What the web wrote cannot close the section it stands in.
        safe = self.text.replace("<", "‹").replace(">", "›")
        return f"[{_LABELS.get(self.field, self.field)}] {safe}" + (f" ({self.url})" if self.url else "")


def evidence_of(facts: Iterable[Fact], keywords: Sequence[str] = ()) -> list[Line]:
    """The winning value of each field, then every sentence read; sentences with a keyword come first."""
    kept = [fact for fact in facts if not fact.late]
    best = chosen(kept)
    lines = [Line(field, best[field].value, best[field].url) for field in _LABELS if field in best]
    sentences: dict[str, Line] = {}
    for fact in sorted(
        kept,
        key=lambda fact: (
            list(_LABELS).index(fact.field) if fact.field in _LABELS else 99,
            fact.source,
            fact.url or "",
            fact.value,
        ),
    ):
        if fact.field in ("resumo", "atividade", "observacao", "texto"):
            for sentence in _SENTENCES.split(fact.value):
                text = " ".join(sentence.split())[:MAX_LINE]
                if len(text) > 2:
                    sentences.setdefault(fold(text), Line(fact.field, text, fact.url))
    folded = [fold(word) for word in keywords]
    ordered = sorted(sentences.items(), key=lambda item: not any(word in item[0] for word in folded))
    return [*lines, *(line for _, line in ordered)][:MAX_LINES]


def fingerprint(facts: Iterable[Fact]) -> str:
    """The same for the same evidence, wherever and whenever it was read."""
    stated = sorted(
        {f"{fact.field}\x1f{fact.value}\x1f{fact.source}\x1f{fact.rank}" for fact in facts if not fact.late}
    )
    return hashlib.sha256("\x1e".join(stated).encode()).hexdigest()


def where_quoted(quote: str | None, lines: Iterable[Line]) -> Line | None:
    """The line a quote stands in, blind to accents, capitals and punctuation; None when nobody wrote that."""
    folded = fold(quote or "")
    if len(folded) < 2:
        return None
    return next((line for line in lines if folded in fold(line.text)), None)
