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
    """Whether these 14 characters are a CNPJ, without mask and in upper case."""
    from validate_docbr import CNPJ  # on first use

    return _CNPJ.fullmatch(cnpj) is not None and CNPJ().validate(cnpj)


def normalise_cpf(text: str | None) -> str | None:
    """The 11 digits of a valid CPF, or None; zeros in front are put back."""
    cpf = _characters(text)
    cpf = cpf.zfill(11) if re.fullmatch(r"\d{9,10}", cpf) else cpf
    return cpf if is_valid_cpf(cpf) else None


def is_valid_cpf(cpf: str) -> bool:
    """Whether these 11 digits are a CPF."""
    from validate_docbr import CPF  # on first use

    return _CPF.fullmatch(cpf) is not None and CPF().validate(cpf)


def format_cnpj(cnpj: str) -> str:
    """As people write it: AA.AAA.AAA/AAAA-DD."""
    return f"{cnpj[:2]}.{cnpj[2:5]}.{cnpj[5:8]}/{cnpj[8:12]}-{cnpj[12:]}"
