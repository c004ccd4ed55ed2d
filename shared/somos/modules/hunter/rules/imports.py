"""A spreadsheet of companies becomes facts, line by line; what cannot be used is reported, never dropped."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from somos.modules.hunter.rules.facts import Fact, exact_keys, fact
from somos.modules.sheet import Row, Sheet, guess_mapping, unguarded

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
}  # fmt: skip

LABELS = {
    "cnpj": "CNPJ", "domain": "site", "phone": "telefone", "phone_2": "telefone", "email": "e-mail", "uf": "UF",
    "employees": "número de funcionários", "instagram": "Instagram", "linkedin": "LinkedIn",
    "facebook": "Facebook",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: the facts it states, or why it was refused; `warnings` are values set aside."""

    number: int
    facts: tuple[Fact, ...] = ()
    refused: str | None = None
    warnings: tuple[str, ...] = ()


def mapping_of(headers: list[str]) -> dict[str, str]:
    """field -> header."""
    return guess_mapping(headers, SYNONYMS)


def ignored(sheet: Sheet, mapping: Mapping[str, str]) -> list[str]:
    """Columns nothing was read from."""
    return [header for header in sheet.headers if header not in mapping.values()]


def line_of(row: Row, mapping: Mapping[str, str], name: str, seen_at: datetime) -> Line:
    """What one row states. `name` is the file's, kept as where each value comes from."""
    if row.problems:
        return Line(row.line, refused=" ".join(row.problems))
    given = {field: unguarded(row.cells[header]) for field, header in mapping.items() if header in row.cells}
    where = f"{name}#L{row.line}"
    facts: list[Fact] = []
    warnings = []
    for field, text in given.items():
        text = _whole_cnpj(text) if field == "cnpj" else text
        found = fact("phone" if field == "phone_2" else field, text, "csv", "import", where, seen_at,
                     rank=1 if field == "phone_2" else 0)  # fmt: skip
        if not found and field == "cnpj":
            return Line(row.line, refused=_cnpj_problem(text))
        if not found and text:
            warnings.append(f"{LABELS.get(field, field)} não reconhecido: {text[:60]}")
        facts += found
    facts += _domain_of_email(facts, where, seen_at)
    if not any(fact.field == "company_name" for fact in facts) and not exact_keys(facts):
        return Line(row.line, refused="Falta o nome da empresa, o CNPJ ou outro dado que a identifique.")
    return Line(row.line, tuple(facts), warnings=tuple(warnings))


def _domain_of_email(facts: list[Fact], where: str, seen_at: datetime) -> list[Fact]:
    """A company that writes from its own domain has its site there."""
    if any(known.field == "domain" for known in facts):
        return []
    emails = [known.value for known in facts if known.field == "email"]
    return [found for email in emails for found in fact("domain", email, "csv", "email", where, seen_at, rank=1)]


def _whole_cnpj(text: str) -> str:
    """Spreadsheets eat leading zeros."""
    return text.zfill(14) if re.fullmatch(r"\d{11,13}", text) else text


def _cnpj_problem(text: str) -> str:
    if re.fullmatch(r"(?i)\d[.,]\d+e\+?\d+", text.replace(" ", "")):
        return f"CNPJ em notação científica ({text[:30]}): formate a coluna como texto antes de exportar."
    return f"CNPJ inválido: {text[:30]}"
