"""The keys by which people and companies are recognised: phone, e-mail, domain, CPF and CNPJ, normalised.

Pure. Every module compares these values, so they are made in one place. A value that cannot be a key is None,
never a guess.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

KeyKind = Literal["phone", "email", "domain", "cnpj", "profile"]

# --- phones ---------------------------------------------------------------------------------------------

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
    found: list[str] = []
    for piece in _pieces(text):
        area = found[-1][3:5] if found and found[-1].startswith("+55") else ""
        number = _one(piece, region) or (_one(f"({area}) {piece}", region) if area else None)
        found += [number] if number else [whole for one in _WHOLE.findall(piece) if (whole := _one(one, region))]
    if not found and (whole := _one(_LETTERS.sub("", _dialling(text)).replace("/", "-"), region)):
        found = [whole]
    return tuple(sorted(dict.fromkeys(found), key=lambda number: not is_mobile(number)))


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


# --- e-mail ---------------------------------------------------------------------------------------------

_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})"
)


def normalise_email(text: str | None) -> str | None:
    """The address in lower case, or None when it cannot be one."""
    if not text or len(text) > 320:
        return None
    address = text.strip().lower().removeprefix("mailto:").split("?", 1)[0].strip("<> \t.,;")
    local, at, host = address.rpartition("@")
    ascii_host = _ascii(host) if at else None
    if not ascii_host or len(local) > 64:
        return None
    address = f"{local}@{ascii_host}"
    return address if len(address) <= 254 and _EMAIL.fullmatch(address) else None


def emails_in(text: str | None) -> tuple[str, ...]:
    """Every address in what a person wrote into one cell, in its order."""
    words = re.split(r"[\s;,/|<>()\[\]\"']+", (text or "")[:_LONGEST_CELL])
    return tuple(dict.fromkeys(address for word in words if "@" in word and (address := normalise_email(word))))


# --- domains --------------------------------------------------------------------------------------------

# A page on these says nothing of who owns it: networks, marketplaces, directories, link pages, free mail.
SHARED_HOSTS = frozenset({
    "instagram.com", "facebook.com", "fb.com", "fb.me", "messenger.com", "linkedin.com", "lnkd.in",
    "twitter.com", "x.com", "t.co", "tiktok.com", "youtube.com", "youtu.be", "vimeo.com", "pinterest.com",
    "pinterest.com.br", "behance.net", "dribbble.com", "threads.net", "telegram.org", "t.me",
    "whatsapp.com", "wa.me", "linktr.ee", "linktree.com", "beacons.ai", "bio.link", "bit.ly", "goo.gl",
    "forms.gle", "g.page", "google.com", "google.com.br", "goo.gle", "apple.com", "bing.com", "waze.com",
    "reddit.com", "medium.com", "wikipedia.org", "quora.com", "mercadolivre.com.br", "mercadolibre.com",
    "olx.com.br", "shopee.com.br", "amazon.com", "amazon.com.br", "magazineluiza.com.br",
    "americanas.com.br", "elo7.com.br", "enjoei.com.br", "ifood.com.br", "reclameaqui.com.br",
    "glassdoor.com", "glassdoor.com.br", "indeed.com", "br.indeed.com", "vagas.com.br", "catho.com.br",
    "infojobs.com.br", "gupy.io", "yelp.com", "yelp.com.br", "tripadvisor.com", "tripadvisor.com.br",
    "foursquare.com", "guiamais.com.br", "telelistas.net", "apontador.com.br", "solutudo.com.br",
    "econodata.com.br", "cnpj.biz", "cnpja.com", "casadosdados.com.br", "cnpj.info", "empresascnpj.com",
    "consultasocio.com", "jusbrasil.com.br", "crunchbase.com", "clutch.co", "sortlist.com", "workana.com",
    "99freelas.com.br", "getninjas.com.br", "gmail.com", "googlemail.com", "hotmail.com", "hotmail.com.br",
    "outlook.com", "outlook.com.br", "live.com", "msn.com", "yahoo.com", "yahoo.com.br", "ymail.com",
    "icloud.com", "me.com", "aol.com", "uol.com.br", "bol.com.br", "terra.com.br", "ig.com.br", "globo.com",
    "globomail.com", "r7.com", "zipmail.com.br", "proton.me", "protonmail.com", "gmx.com", "zoho.com",
})  # fmt: skip
# On these the subdomain is the company's own.
SITE_BUILDERS = (
    "wixsite.com", "blogspot.com", "blogspot.com.br", "wordpress.com", "webflow.io", "negocio.site",
    "business.site", "github.io", "netlify.app", "vercel.app", "squarespace.com", "weebly.com", "canva.site",
    "myshopify.com", "lojaintegrada.com.br", "tumblr.com", "carrd.co", "notion.site", "framer.website",
)  # fmt: skip
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")


def domain_of(url: str | None) -> str | None:
    """The company's own domain in a URL, a host or an e-mail address; None when it belongs to somebody else.

    `www` is dropped, other subdomains are kept: joining two companies is worse than missing a twin.
    """
    if not url or len(url) > 2048:
        return None
    text = url.strip().lower()
    if "://" not in text:
        text = f"//{text.rpartition('@')[2] if '@' in text.split('/', 1)[0] else text.removeprefix('//')}"
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("", "http", "https"):
        return None
    host = _ascii((host or "").rstrip("."))
    if not host:
        return None
    host = re.sub(r"^www\d?\.(?=[^.]+\.)", "", host)
    if len(host) > 253 or not _HOST.fullmatch(host) or host in SITE_BUILDERS or _is_shared(host):
        return None
    return host


def _is_shared(host: str) -> bool:
    if host.endswith(tuple(f".{builder}" for builder in SITE_BUILDERS)):
        return False
    labels = host.split(".")
    return any(".".join(labels[i:]) in SHARED_HOSTS for i in range(len(labels) - 1))


def _ascii(host: str) -> str | None:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return None


# --- CPF and CNPJ ---------------------------------------------------------------------------------------

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


# --- keys together --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """By what a person is recognised. Values are normalised; use `of` for text from outside."""

    phone: str | None = None
    email: str | None = None
    company_domain: str | None = None

    @classmethod
    def of(cls, phone: str | None = None, email: str | None = None, company: str | None = None) -> "PersonKeys":
        return cls(normalise_phone(phone), normalise_email(email), domain_of(company))

    def hashes(self, secret: str) -> list[str]:
        """The keyed hashes of this person's own addresses, as suppressions store them."""
        pairs: list[tuple[KeyKind, str | None]] = [("phone", self.phone), ("email", self.email)]
        return [key_hash(secret, kind, value) for kind, value in pairs if value]


@dataclass(frozen=True, slots=True)
class CompanyKeys:
    """By what a company is recognised. Values are normalised; use `of` for text from outside."""

    cnpj: str | None = None
    domain: str | None = None
    phone: str | None = None
    email: str | None = None

    @classmethod
    def of(
        cls,
        cnpj: str | None = None,
        domain: str | None = None,
        phone: str | None = None,
        email: str | None = None,
    ) -> "CompanyKeys":
        return cls(normalise_cnpj(cnpj), domain_of(domain), normalise_phone(phone), normalise_email(email))


def key_hash(secret: str, kind: KeyKind, value: str) -> str:
    """Keyed hash of one normalised value: still recognised after the person's data is erased.

    Phones are hashed with their 9th digit, so both variants of a number have one hash.
    """
    if kind == "phone":
        value = phone_variants(value)[0]
    return hmac.new(secret.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
