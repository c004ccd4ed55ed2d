"""CPF and CNPJ, as people write them and as they are stored. Pure."""

import re

_CNPJ = re.compile(r"[A-Z0-9]{12}[0-9]{2}")
_CPF = re.compile(r"[0-9]{11}")
_MASK = re.compile(r"[\W_]+")
_DOCUMENT_LABEL = re.compile(r"(?i)^\W*(?:cnpj|cpf)(?:\W*mf)?(?:\W*n[.º°o]{0,2}(?=\W))?\W+")
_DOCUMENT_AS_NUMBER = re.compile(r"^(\d{9,14})[.,]0{1,2}$")


def normalise_cnpj(text: str | None) -> str | None:
    """The 14 characters of a valid CNPJ, all digits or the alphanumeric form of July 2026, or None.

    Zeros in front that a spreadsheet took away are put back.
    """
    cnpj = _characters(text)
    if re.fullmatch(r"\d{11,13}", cnpj) and not is_valid_cpf(cnpj):
        cnpj = cnpj.zfill(14)
    return cnpj if is_valid_cnpj(cnpj) else None


def normalise_document(text: str | None) -> str | None:
    """A CNPJ (14 characters) or a CPF (11 digits), or None."""
    return normalise_cnpj(text) or normalise_cpf(text)


def _characters(text: str | None) -> str:
    """What is left of a document without its label, its mask, and what a sheet that took it for a number added."""
    bare = _DOCUMENT_LABEL.sub("", (text or "").strip())
    return _MASK.sub("", _DOCUMENT_AS_NUMBER.sub(r"\1", bare)).upper()


def is_valid_cnpj(cnpj: str) -> bool:
    """Whether these 14 characters are a CNPJ: modulus 11 over ASCII - 48, two numeric check digits."""
    if not _CNPJ.fullmatch(cnpj) or len(set(cnpj)) == 1:
        return False
    values = [ord(character) - 48 for character in cnpj]
    return _eleven(values[:12], _weights(12)) == values[12] and _eleven(values[:13], _weights(13)) == values[13]


def normalise_cpf(text: str | None) -> str | None:
    """The 11 digits of a valid CPF, or None; zeros in front are put back."""
    cpf = _characters(text)
    cpf = cpf.zfill(11) if re.fullmatch(r"\d{9,10}", cpf) else cpf
    return cpf if is_valid_cpf(cpf) else None


def is_valid_cpf(cpf: str) -> bool:
    """Whether these 11 digits are a CPF."""
    if not _CPF.fullmatch(cpf) or len(set(cpf)) == 1:
        return False
    values = [int(digit) for digit in cpf]
    return _eleven(values[:9], range(10, 1, -1)) == values[9] and _eleven(values[:10], range(11, 1, -1)) == values[10]


def _weights(length: int) -> list[int]:
    """9 2 3 ... from the right: 2 to 9, again and again."""
    return [2 + (length - 1 - position) % 8 for position in range(length)]


def _eleven(values: list[int], weights: "list[int] | range") -> int:
    rest = sum(value * weight for value, weight in zip(values, weights, strict=True)) % 11
    return 0 if rest < 2 else 11 - rest


def format_cnpj(cnpj: str) -> str:
    """As people write it: AA.AAA.AAA/AAAA-DD."""
    return f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}"
