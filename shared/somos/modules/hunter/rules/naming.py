"""Names in text from outside: the company in a page's title, the people a page introduces."""

import re

from somos.kernel.text import fold

_SEPARATORS = re.compile(r"\s+[|•·:–—»-]+\s+|:\s+|\s*\|\s*")
_GENERIC = frozenset(
    [
        "home", "inicio", "pagina inicial", "contato", "fale conosco", "sobre", "sobre nos", "quem somos",
        "bem vindo", "site oficial", "instagram", "linkedin", "facebook", "fotos e videos do instagram",
    ]
)  # fmt: skip
_TAIL = re.compile(r"(?i)\s*\((?:@[^)]*)\).*$|\s+no instagram.*$")


def name_in_title(title: str, domain: str | None) -> str:
    """The part of a title that names the company: the one that reads like its domain, else the first."""
    plain = _TAIL.sub("", title).strip() or title
    parts = [part.strip() for part in _SEPARATORS.split(plain) if part.strip()]
    parts = [part for part in parts if fold(part) not in _GENERIC] or parts or [plain]
    label = fold((domain or "").partition(".")[0]).replace(" ", "")

    def likeness(part: str) -> int:
        return sum(len(word) for word in set(fold(part).split()) if len(word) > 2 and word in label)

    return max(parts, key=likeness)  # the first of the most alike


_NAME = r"[A-ZÀ-Ý][\w'’-]+(?:\s+(?:d[aeo]s?\s+)?[A-ZÀ-Ý][\w'’-]+){1,4}"
_TITLES = (
    r"(?:C[EFMOT]O|Chief\s|Diretor|Diretora|Gerente|S[óo]ci[oa]|Fundador|Fundadora|Coordenador|Coordenadora|Head|"
    r"Presidente|Propriet[áa]ri[oa]|Supervisor|Supervisora|Analista|Administrador|Administradora|Produtor|Produtora)"
)
_INTRODUCED = re.compile(rf"({_NAME})\s*(?:,|[–—|]|\s-\s|\()\s*({_TITLES}\b[^:;.,()\n@<>]{{0,60}})")


def people_in(text: str) -> list[tuple[str, str]]:
    """(name, role) of those a page introduces as "Nome Sobrenome, Cargo"."""
    role_of: dict[str, str] = {}
    for line in text.splitlines():
        for match in _INTRODUCED.finditer(line[:500]):
            role_of.setdefault(" ".join(match[1].split()), " ".join(match[2].split()).rstrip(" -–"))
    return list(role_of.items())


_SMALL = frozenset({"de", "da", "do", "das", "dos", "e"})
_KEPT = frozenset({"S.A.", "S/A", "SA", "ME", "EPP", "II", "III", "IV"})


def proper(text: str | None) -> str | None:
    """ "MARIA DA SILVA" as a name is written; text that is not all capitals stays as it is."""
    if text is None or not text.isupper():
        return text
    words = text.split()
    return " ".join(
        word if word in _KEPT and place else word.lower() if place and word.lower() in _SMALL else word.capitalize()
        for place, word in enumerate(words)
    )
