"""A line of somebody's spreadsheet becomes a company, a contact and perhaps a deal, or says why not."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from somos.modules.keys import (
    PersonKeys,
    domain_of,
    normalise_cnpj,
    normalise_cpf,
    normalise_email,
    normalise_phone,
)
from somos.modules.places import parse_state
from somos.modules.sheet import fold

Key = tuple[str, str]
Parser = Callable[[str], str | None]

MAX_ROWS = 2_000  # one transaction that a person waits for
MAX_CENTS = 10**13  # a hundred billion reais: beyond it somebody typed a phone number

# field -> the column names people use, folded (lower case, no accents)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "company_name": ("empresa", "razao social", "nome da empresa", "nome fantasia", "companhia", "conta",
                     "organizacao", "company", "cliente", "nome"),
    "document": ("cnpj", "cnpj cpf", "cpf cnpj", "documento", "cpf"),
    "domain": ("site", "website", "dominio", "url", "pagina", "web"),
    "phone": ("telefone", "telefone da empresa", "fone", "tel", "phone", "telefone comercial"),
    "email": ("email da empresa", "e mail da empresa", "email geral", "email", "e mail"),
    "city": ("cidade", "municipio", "city"),
    "uf": ("uf", "estado", "state"),
    "segment": ("segmento", "setor", "ramo", "area"),
    "contact_name": ("contato", "nome do contato", "pessoa", "responsavel", "contact"),
    "contact_title": ("cargo", "funcao", "cargo do contato", "title"),
    "contact_email": ("email do contato", "e mail do contato", "email contato", "e mail contato"),
    "contact_phone": ("celular", "whatsapp", "telefone do contato", "telefone contato", "celular do contato"),
    "deal_title": ("negocio", "titulo", "oportunidade", "titulo do negocio", "projeto", "deal"),
    "deal_value": ("valor", "valor do negocio", "valor estimado", "valor r", "value"),
    "expected_close_date": ("previsao", "previsao de fechamento", "data prevista", "fechamento"),
}  # fmt: skip
FIELDS = tuple(SYNONYMS)


@dataclass(frozen=True, slots=True)
class Draft:
    """What one line would create; addresses are normalised."""

    company_name: str
    document: str | None = None
    domain: str | None = None
    phone: str | None = None
    email: str | None = None
    city: str | None = None
    uf: str | None = None
    segment: str | None = None
    contact_name: str | None = None
    contact_title: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    deal_title: str | None = None
    deal_value_cents: int = 0
    expected_close_date: date | None = None

    @property
    def company_keys(self) -> list[Key]:
        """By what the company is recognised, the surest first."""
        pairs = [("document", self.document), ("domain", self.domain), ("phone", self.phone), ("email", self.email)]
        return [(kind, value) for kind, value in pairs if value]

    @property
    def contact_keys(self) -> list[Key]:
        pairs = [("email", self.contact_email), ("phone", self.contact_phone)]
        return [(kind, value) for kind, value in pairs if value]

    @property
    def person(self) -> PersonKeys:
        """Who would be written to, if anybody were."""
        return PersonKeys(self.contact_phone or self.phone, self.contact_email or self.email)

    @property
    def twin_key(self) -> Key:
        """By what lines of one file name the same company when nothing better is known."""
        return name_key(self.company_name, self.city)


def name_key(name: str, city: str | None) -> Key:
    """A company without any other key, by its exact name and city."""
    return ("name", f"{fold(name)}|{fold(city or '')}")


def draft_of(cells: Mapping[str, str], mapping: Mapping[str, str]) -> tuple[Draft | None, list[str]]:
    """The draft of a line and everything wrong with it; a wrong value is never dropped silently."""
    given = {name: cells[header] for name, header in mapping.items() if cells.get(header)}
    problems: list[str] = []

    def read(name: str, parse: Parser, label: str) -> str | None:
        text = given.get(name)
        value = parse(text) if text else None
        if text and value is None:
            problems.append(f"{label} inválido: {text[:60]}")
        return value

    name = given.get("company_name", "")[:200]
    if not name:
        problems.append("Falta o nome da empresa.")
    value_cents = parse_money(given["deal_value"]) if "deal_value" in given else 0
    if value_cents is None:
        problems.append(f"Valor inválido: {given['deal_value'][:60]}")
    expected = parse_date(given["expected_close_date"]) if "expected_close_date" in given else None
    if expected is None and "expected_close_date" in given:
        problems.append(f"Data inválida: {given['expected_close_date'][:60]}")
    draft = Draft(
        company_name=name,
        document=read("document", lambda text: normalise_cnpj(text) or normalise_cpf(text), "CNPJ ou CPF"),
        domain=domain_of(given.get("domain")),  # a page on a social network is no key, and no error
        phone=read("phone", normalise_phone, "Telefone"),
        email=read("email", normalise_email, "E-mail"),
        city=given.get("city", "")[:120] or None,
        uf=read("uf", parse_state, "UF"),
        segment=given.get("segment", "")[:120] or None,
        contact_name=given.get("contact_name", "")[:200] or None,
        contact_title=given.get("contact_title", "")[:120] or None,
        contact_email=read("contact_email", normalise_email, "E-mail do contato"),
        contact_phone=read("contact_phone", normalise_phone, "Telefone do contato"),
        deal_title=given.get("deal_title", "")[:200] or None,
        deal_value_cents=value_cents or 0,
        expected_close_date=expected,
    )
    if (draft.contact_email or draft.contact_phone) and not draft.contact_name:
        problems.append("Falta o nome do contato.")
    return (None if problems else draft), problems


def parse_money(text: str) -> int | None:
    """Cents of "R$ 1.500,50", "1500.50", "1.500" or "1500"; None when it is not an amount."""
    bare = re.sub(r"(?i)r\$|\s", "", text)
    if not re.fullmatch(r"\d[\d.,]*", bare):
        return None
    decimal = re.fullmatch(r"(.*?)[.,](\d{1,2})", bare)
    whole, cents = (decimal[1], decimal[2].ljust(2, "0")) if decimal else (bare, "00")
    if not re.fullmatch(r"\d+|\d{1,3}(\.\d{3})+|\d{1,3}(,\d{3})+", whole):
        return None
    total = int(re.sub(r"[.,]", "", whole)) * 100 + int(cents)
    return total if total <= MAX_CENTS else None


def parse_date(text: str) -> date | None:
    """31/12/2026, 31-12-2026, 31/12/26 or 2026-12-31."""
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        year, month, day = match.groups()
    elif match := re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})", text):
        day, month, year = match.groups()
        year = year if len(year) == 4 else f"20{year}"
    else:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
