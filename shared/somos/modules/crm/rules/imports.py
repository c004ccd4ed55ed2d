"""A line of somebody's spreadsheet becomes a company, a contact and perhaps a deal, or says why not."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from somos.kernel import do_not_contact
from somos.kernel.documents import normalise_document
from somos.kernel.emails import emails_in
from somos.kernel.hosts import domain_of
from somos.kernel.keys import PersonKeys
from somos.kernel.money import parse_money
from somos.kernel.phones import phones_in
from somos.kernel.places import parse_state
from somos.kernel.refusals import NotAllowed
from somos.kernel.sheets import unread
from somos.kernel.states import Machine
from somos.kernel.text import fold

Key = tuple[str, str]
Parser = Callable[[str], str | None]

IMPORT = Machine(
    "Uma importação",
    {"preview": "preview applied", "applied": "undone", "undone": ""},
    {"preview": "em prévia", "applied": "aplicada", "undone": "desfeita"},
)
MAX_ROWS = 2_000  # one transaction that a person waits for

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
    **do_not_contact.COLUMNS,
}  # fmt: skip
FIELDS = tuple(SYNONYMS)
SPELLINGS = frozenset(spelling for spellings in SYNONYMS.values() for spelling in spellings)


@dataclass(frozen=True, slots=True)
class Draft:
    """What one line would create; addresses are normalised. Of several in one cell, the best stands first."""

    company_name: str
    document: str | None = None
    domain: str | None = None
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    city: str | None = None
    uf: str | None = None
    segment: str | None = None
    contact_name: str | None = None
    contact_title: str | None = None
    contact_emails: tuple[str, ...] = ()
    contact_phones: tuple[str, ...] = ()
    deal_title: str | None = None
    deal_value_cents: int = 0
    expected_close_date: date | None = None
    forbidden: bool = False  # the line says never to contact these people

    @property
    def phone(self) -> str | None:
        return self.phones[0] if self.phones else None

    @property
    def email(self) -> str | None:
        return self.emails[0] if self.emails else None

    @property
    def contact_phone(self) -> str | None:
        return self.contact_phones[0] if self.contact_phones else None

    @property
    def contact_email(self) -> str | None:
        return self.contact_emails[0] if self.contact_emails else None

    @property
    def company_keys(self) -> list[Key]:
        """By what the company is recognised, the surest first."""
        pairs = [("document", self.document), ("domain", self.domain)]
        known = [(kind, value) for kind, value in pairs if value]
        return [*known, *(("phone", phone) for phone in self.phones), *(("email", email) for email in self.emails)]

    @property
    def contact_keys(self) -> list[Key]:
        emails: list[Key] = [("email", email) for email in self.contact_emails]
        return [*emails, *(("phone", phone) for phone in self.contact_phones)]

    @property
    def people(self) -> list[PersonKeys]:
        """Everybody who would be reached by one of the line's addresses."""
        phones, emails = (*self.contact_phones, *self.phones), (*self.contact_emails, *self.emails)
        return [*(PersonKeys(phone=phone) for phone in phones), *(PersonKeys(email=email) for email in emails)]

    @property
    def twin_key(self) -> Key:
        """By what lines of one file name the same company when nothing better is known."""
        return name_key(self.company_name, self.city)


def check_step(state: str, to: str) -> None:
    """Raises NotAllowed unless the import is at the step from which this is done."""
    if not IMPORT.allows(state, to):
        raise NotAllowed("A importação não está mais neste passo", code="import-state")


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
            problems.append(unread(label, text))
        return value

    def several(name: str, parse: Callable[[str], tuple[str, ...]], label: str) -> tuple[str, ...]:
        text = given.get(name)
        values = parse(text) if text else ()
        if text and not values:
            problems.append(unread(label, text))
        return values

    name = given.get("company_name", "")[:200]
    if not name:
        problems.append("Falta o nome da empresa.")
    value_cents = parse_money(given["deal_value"]) if "deal_value" in given else 0
    if value_cents is None:
        problems.append(f"Valor inválido: {given['deal_value'][:60]}")
    expected = parse_date(given["expected_close_date"]) if "expected_close_date" in given else None
    if expected is None and "expected_close_date" in given:
        problems.append(f"Data inválida: {given['expected_close_date'][:60]}")
    forbidden, unclear = do_not_contact.forbidden(given)
    if unclear is not None:
        problems.append(f"Não se entende se a pessoa pode ser contatada: {unclear[:60]}")
    draft = Draft(
        company_name=name,
        document=read("document", normalise_document, "CNPJ ou CPF"),
        domain=domain_of(given.get("domain")),  # a page on a social network is no key, and no error
        phones=several("phone", phones_in, "Telefone"),
        emails=several("email", emails_in, "E-mail"),
        city=given.get("city", "")[:120] or None,
        uf=read("uf", parse_state, "UF"),
        segment=given.get("segment", "")[:120] or None,
        contact_name=given.get("contact_name", "")[:200] or None,
        contact_title=given.get("contact_title", "")[:120] or None,
        contact_emails=several("contact_email", emails_in, "E-mail do contato"),
        contact_phones=several("contact_phone", phones_in, "Telefone do contato"),
        deal_title=given.get("deal_title", "")[:200] or None,
        deal_value_cents=value_cents or 0,
        expected_close_date=expected,
        forbidden=forbidden,
    )
    if draft.contact_keys and not draft.contact_name:
        problems.append("Falta o nome do contato.")
    return (None if problems else draft), problems


def forbidden_people(cells: Mapping[str, str], mapping: Mapping[str, str]) -> list[PersonKeys]:
    """Whom a line says never to contact, also when nothing else of it can be used."""
    given = {name: cells[header] for name, header in mapping.items() if cells.get(header)}
    if not do_not_contact.forbidden(given)[0]:
        return []
    phones = [phone for name in ("phone", "contact_phone") for phone in phones_in(given.get(name))]
    emails = [email for name in ("email", "contact_email") for email in emails_in(given.get(name))]
    return [*(PersonKeys(phone=phone) for phone in phones), *(PersonKeys(email=email) for email in emails)]


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
