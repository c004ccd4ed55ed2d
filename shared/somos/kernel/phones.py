"""Phones as people write them, and as E.164. Pure."""

import re
from functools import lru_cache

_EXTENSION = re.compile(r"(?i)\b(?:ramal|ram\.?|rm\.?|ext\.?|r\.)\s*:?\s*\d{0,6}")
_BETWEEN = re.compile(r"(?i)[/;|,\r\n\t]+|(?=\+)|(?<![^\W_])(?:ou|e)(?![^\W_])")  # what stands between two numbers
_LETTERS = re.compile(r"[^\W\d_]+")
# "(0xx11)" or "0**11": where the carrier's code was to be dialled.
_OLD_CARRIER = re.compile(r"(?i)\(?0?\s?(?<![a-z])(?:xx|\*\*)\s?(?=\(?\d)")
_DIALLED_ABROAD = re.compile(r"^\W*00\W*55")
_AS_NUMBER = re.compile(r"(?<=\d{8})[.,]0+(?![\d.,-])")  # "11987654321.0": a sheet took it for a number
# Numbers with nothing but spaces between them.
_WHOLE = re.compile(r"(?<!\d)\(?0?\d{2}\)?[\s.-]*(?:9[\s.-]?)?\d{4}[\s.-]*\d{4}(?!\d)")
_MOBILE_LEAD = "6789"
_LONGEST_CELL = 500


@lru_cache(maxsize=1024)  # reading one takes 2 ms, and a step reads its person's several times
def normalise_phone(text: str | None, region: str = "BR") -> str | None:
    """E.164 of the phone in the text, the first mobile of several, or None when the text says anything else.

    A Brazilian mobile always has its 9th digit.
    """
    if not text or _LETTERS.search(_BETWEEN.sub(" ", _dialling(text))):
        return None
    return next(iter(phones_in(text, region)), None)


def phones_in(text: str | None, region: str = "BR") -> tuple[str, ...]:
    """E.164 of every phone in what a person wrote into one cell, with words around them; mobiles first.

    A number without area code is of the area of the one before it.
    """
    if not text or len(text) > _LONGEST_CELL:
        return ()
    numbers: list[str] = []
    for piece in _pieces(text):
        area = numbers[-1][3:5] if numbers and numbers[-1].startswith("+55") else ""
        number = _one(piece, region) or (_one(f"({area}) {piece}", region) if area else None)
        numbers += [number] if number else [whole for one in _WHOLE.findall(piece) if (whole := _one(one, region))]
    if not numbers and (whole := _one(_LETTERS.sub("", _dialling(text)).replace("/", "-"), region)):
        numbers = [whole]
    return tuple(sorted(dict.fromkeys(numbers), key=lambda number: not is_mobile(number)))


def _dialling(text: str) -> str:
    """The text without what belongs to no number."""
    return _OLD_CARRIER.sub("0", _AS_NUMBER.sub("", _EXTENSION.sub(";", text.strip())))


def _pieces(text: str) -> list[str]:
    return _BETWEEN.split(_LETTERS.sub(lambda word: word[0] if _BETWEEN.fullmatch(word[0]) else ";", _dialling(text)))


def _one(text: str, region: str) -> str | None:
    text = _DIALLED_ABROAD.sub("+55", text)
    digits = re.sub(r"\D", "", text)
    if not 8 <= len(digits) <= 16:
        return None
    read = (_parsed(candidate, region) for candidate in _readings(text, digits, region))
    return next((number for number in read if number), None)


def _readings(text: str, digits: str, region: str) -> list[str]:
    """Ways to read what was typed, the likeliest first."""
    readings = [text]
    if region == "BR":
        national = digits[2:] if digits.startswith("55") and len(digits) in (12, 13) else digits.lstrip("0")
        readings += [f"+55{_with_ninth(national)}"]
    return readings


def _with_ninth(national: str) -> str:
    if len(national) == 10 and national[2] in _MOBILE_LEAD:
        return f"{national[:2]}9{national[2:]}"
    return national


def _parsed(text: str, region: str) -> str | None:
    import phonenumbers  # on first use: its metadata is heavy

    try:
        number = phonenumbers.parse(text, region)
        if number.country_code == 55:
            number = phonenumbers.parse(f"+55{_with_ninth(str(number.national_number))}", None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_variants(e164: str) -> tuple[str, ...]:
    """The ways one number may be written: a Brazilian mobile with the 9th digit first, then without.

    Accounts opened before the 9th digit keep their old WhatsApp id.
    """
    if not e164.startswith("+55"):
        return (e164,)
    national = e164[3:]
    if len(national) == 11 and national[2] == "9" and national[3] in _MOBILE_LEAD:
        return (e164, f"+55{national[:2]}{national[3:]}")
    if len(national) == 10 and national[2] in _MOBILE_LEAD:
        return (f"+55{_with_ninth(national)}", e164)
    return (e164,)


def is_mobile(e164: str) -> bool:
    """Whether a Brazilian number is a mobile one; of other countries nothing is known."""
    return re.fullmatch(r"\+55\d\d9\d{8}", phone_variants(e164)[0]) is not None
