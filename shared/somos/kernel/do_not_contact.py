"""Columns in which a person's own sheet says whom not to contact, and how their cells are read. Pure."""

from collections.abc import Mapping
from typing import Final

from somos.kernel.text import fold

# field -> the column names people use, folded
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "do_not_contact": (
        "nao contatar", "nao contactar", "nao contatar lgpd", "nao entrar em contato", "nao quer contato",
        "nao deseja contato", "nao perturbe", "nao enviar", "nao enviar mensagem", "nao enviar mensagens",
        "nao enviar email", "nao enviar e mail", "nao ligar", "nao receber", "nao quer receber", "recusou contato",
        "pediu para nao contatar", "do not contact", "dnc", "opt out", "optout", "descadastrado", "descadastrada",
        "descadastrar", "unsubscribed", "unsubscribe", "lista negra", "blacklist",
    ),
    "may_contact": (
        "pode contatar", "pode contactar", "pode entrar em contato", "aceita contato", "aceita receber",
        "aceita receber mensagens", "aceita receber email", "aceita receber e mail", "autoriza contato",
        "permite contato", "opt in", "optin",
    ),
}  # fmt: skip

_YES: Final = frozenset(["sim", "s", "x", "v", "verdadeiro", "true", "t", "yes", "y", "1", "1 0", "ok"])
_NO: Final = frozenset(["nao", "n", "falso", "f", "false", "no", "0", "0 0"])
_BLANK: Final = frozenset(["na", "n a", "nan", "null", "none", "nd", "n d"])
_CHECKED: Final = frozenset("✓✔☑✅☒✗✘❌×")


def forbidden(given: Mapping[str, str]) -> tuple[bool, str | None]:
    """Whether a line's cells, by field, forbid contact; and a cell that says neither yes nor no.

    A blank says nothing: it neither forbids nor lifts anything.
    """
    never, unclear = _answer(given.get("do_not_contact", ""), "do_not_contact")
    may, also_unclear = _answer(given.get("may_contact", ""), "may_contact")
    return never is True or may is False, unclear or also_unclear


def _answer(text: str, field: str) -> tuple[bool | None, str | None]:
    """Yes, no or nothing; and the text when it is none of them."""
    folded = fold(text)
    if text.strip() in _CHECKED:
        return True, None
    if not folded or folded in _BLANK:
        return None, None
    if folded in _NO:
        return False, None
    # "sim, pediu em maio"; and the column's own name as its answer.
    if folded in _YES or folded.startswith(("sim ", "yes ")) or folded in COLUMNS[field]:
        return True, None
    return None, text
