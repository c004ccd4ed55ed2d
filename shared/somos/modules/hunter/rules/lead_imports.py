"""A spreadsheet of companies becomes facts, line by line; what cannot be used is reported, never dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from somos.kernel import do_not_contact
from somos.kernel.documents import normalise_cpf
from somos.kernel.emails import emails_in
from somos.kernel.phones import phones_in
from somos.kernel.sheets import Row, Sheet, guess_mapping, is_scientific, unread
from somos.modules.hunter.rules.facts import Fact, exact_keys, fact

# field -> the column names people use, folded (lower case, no accents). The first that exists is taken.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "company_name": ("empresa", "nome da empresa", "nome fantasia", "fantasia", "company", "company name",
                     "organizacao", "agencia", "cliente", "conta", "razao social", "nome"),
    "legal_name": ("razao social", "nome empresarial", "legal name"),
    "cnpj": ("cnpj", "documento", "cnpj cpf", "cpf cnpj"),
    "domain": ("site", "website", "dominio", "url", "pagina", "web", "company domain name"),
    "phone": ("whatsapp", "celular", "telefone", "telefone comercial", "telefone celular", "fone", "tel",
              "contato telefone", "phone", "phone number"),
    "phone_2": ("telefone 2", "telefone fixo", "telefone", "celular", "fone", "outro telefone"),
    "email": ("email", "e mail", "e mail comercial", "email comercial", "email do contato",
              "e mail do contato", "correio eletronico"),
    "contact_name": ("contato", "nome do contato", "pessoa de contato", "responsavel", "pessoa", "decisor",
                     "contact", "nome"),
    "contact_role": ("cargo", "funcao", "cargo do contato", "job title", "title"),
    "city": ("cidade", "municipio", "city"),
    "uf": ("uf", "estado", "state", "state region"),
    "address": ("endereco", "logradouro", "address"),
    "segment": ("segmento", "ramo", "setor", "ramo de atividade", "atividade", "area", "industry"),
    "employees": ("funcionarios", "numero de funcionarios", "n de funcionarios", "no de funcionarios",
                  "qtd funcionarios", "colaboradores", "numero de colaboradores", "porte", "tamanho"),
    "instagram": ("instagram", "insta"),
    "linkedin": ("linkedin",),
    "facebook": ("facebook",),
    "observacao": ("observacao", "observacoes", "obs", "notas", "nota", "comentarios", "description"),
    **do_not_contact.COLUMNS,
}  # fmt: skip
SPELLINGS = frozenset(spelling for spellings in SYNONYMS.values() for spelling in spellings)

LABELS = {
    "cnpj": "CNPJ", "domain": "site", "phone": "telefone", "phone_2": "telefone", "email": "e-mail", "uf": "UF",
    "employees": "número de funcionários", "instagram": "Instagram", "linkedin": "LinkedIn",
    "facebook": "Facebook",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: the facts it states, or why it was refused; `warnings` are values set aside.

    `forbidden`: the file says never to contact these people. Then a refused line keeps its facts too.
    """

    number: int
    facts: tuple[Fact, ...] = ()
    refused: str | None = None
    warnings: tuple[str, ...] = ()
    forbidden: bool = False


def mapping_of(headers: list[str]) -> dict[str, str]:
    """field -> header."""
    return guess_mapping(headers, SYNONYMS)


def ignored(sheet: Sheet, mapping: Mapping[str, str]) -> list[str]:
    """Columns nothing was read from."""
    return [header for header in sheet.headers if header not in mapping.values()]


def line_of(row: Row, mapping: Mapping[str, str], name: str, seen_at: datetime) -> Line:
    """What one row states. `name` is the file's, kept as where each value comes from."""
    given = {field: row.cells[header] for field, header in mapping.items() if header in row.cells}
    where = f"{name}#L{row.line}"
    facts: list[Fact] = []
    warnings = []
    for field, text in _stated(given).items():
        of_column = [
            stated
            for rank, value in enumerate(_values(field, text))
            for stated in fact(field, value, "csv", "import", where, seen_at, rank)
        ]
        if not of_column:
            warnings.append(_not_read(field, text))
        facts += of_column
    facts += _domain_of_email(facts, where, seen_at)
    forbidden, unclear = do_not_contact.forbidden(given)
    refused = _refusal(row, given, facts, unclear)
    kept = tuple(facts) if refused is None or forbidden else ()
    return Line(row.line, kept, refused, tuple(warnings) if refused is None else (), forbidden)


def _stated(given: Mapping[str, str]) -> dict[str, str]:
    """The cells that state facts; both phone columns as one."""
    stated = {field: text for field, text in given.items() if field not in do_not_contact.COLUMNS}
    second = stated.pop("phone_2", None)
    if second is not None:
        stated["phone"] = f"{stated['phone']}; {second}" if "phone" in stated else second
    return stated


def _values(field: str, text: str) -> Sequence[str]:
    """What one cell holds, the best first: phones and addresses may be several."""
    if field == "phone":
        return phones_in(text)
    return emails_in(text) if field == "email" else (text,)


def _not_read(field: str, text: str) -> str:
    label = LABELS.get(field, field)
    if is_scientific(text):
        return unread(label, text)
    return f"{label} não reconhecido: {text[:60]}"


def _refusal(row: Row, given: Mapping[str, str], facts: list[Fact], unclear: str | None) -> str | None:
    """Why a line is not taken, as a sentence."""
    if row.problems:
        return " ".join(row.problems)
    cnpj = given.get("cnpj")
    if cnpj and not any(stated.field == "cnpj" for stated in facts) and normalise_cpf(cnpj) is None:
        return unread("CNPJ", cnpj)
    if unclear is not None:
        return f"Não se entende se a pessoa pode ser contatada: {unclear[:60]}"
    if not any(stated.field == "company_name" for stated in facts) and not exact_keys(facts):
        return "Falta o nome da empresa, o CNPJ ou outro dado que a identifique."
    return None


def _domain_of_email(facts: list[Fact], where: str, seen_at: datetime) -> list[Fact]:
    """A company that writes from its own domain has its site there."""
    if any(known.field == "domain" for known in facts):
        return []
    emails = [known.value for known in facts if known.field == "email"]
    return [one for email in emails for one in fact("domain", email, "csv", "email", where, seen_at, rank=1)]
