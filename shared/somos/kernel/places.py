"""Brazilian states and cities as people write them. Pure."""

from typing import Final

from somos.kernel.text import fold

STATES: Final[dict[str, str]] = {
    "AC": "Acre", "AL": "Alagoas", "AM": "Amazonas", "AP": "Amapá", "BA": "Bahia", "CE": "Ceará",
    "DF": "Distrito Federal", "ES": "Espírito Santo", "GO": "Goiás", "MA": "Maranhão", "MG": "Minas Gerais",
    "MS": "Mato Grosso do Sul", "MT": "Mato Grosso", "PA": "Pará", "PB": "Paraíba", "PE": "Pernambuco",
    "PI": "Piauí", "PR": "Paraná", "RJ": "Rio de Janeiro", "RN": "Rio Grande do Norte", "RO": "Rondônia",
    "RR": "Roraima", "RS": "Rio Grande do Sul", "SC": "Santa Catarina", "SE": "Sergipe", "SP": "São Paulo",
    "TO": "Tocantins",
}  # fmt: skip
_BY_NAME: Final = {fold(name): uf for uf, name in STATES.items()}


def parse_state(text: str | None) -> str | None:
    """The two letters of a state written as letters or as a name, or None."""
    letters = (text or "").strip().upper()
    return letters if letters in STATES else _BY_NAME.get(fold(text or ""))


def same_place(one: str | None, other: str | None) -> bool:
    """Whether two names are of one city, blind to accents and capitals."""
    return bool(one and other) and fold(one or "") == fold(other or "")
