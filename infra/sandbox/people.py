"""Who lives in the world: companies, the person who answers at each, and what that person says."""

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

TEMPERAMENTS = (
    "interested", "question", "later", "no", "optout", "out_of_office",
    "silence", "bounce", "wrong_person", "complaint",
)  # fmt: skip

# What each temperament answers when the person has no words of their own; None = no answer at all.
SAYS: dict[str, str | None] = {
    "interested": "Oi! Tenho interesse, sim. Podemos conversar na quinta-feira às 15h?",
    "question": "Olá, tudo bem? Quanto custa, em média, um vídeo institucional de um minuto?",
    "later": "Agora estamos fechando o ano. Pode me procurar de novo em {later}.",
    "no": "Agradeço o contato, mas não temos interesse.",
    "optout": "PARAR",
    "out_of_office": ("Resposta automática: estou fora do escritório, de férias, até {later}. Respondo quando voltar."),
    "silence": None,
    "bounce": None,
    "wrong_person": "Não sou a pessoa certa para isso, não cuido de comunicação aqui.",
    "complaint": "Quem passou meu contato? Não me mandem mais mensagens.",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may answer. Phones are digits with the country, as WhatsApp knows them."""

    id: str
    name: str
    role: str
    temperament: str
    company: str
    email: str
    phone: str = ""
    says: str = ""
    lid: str = ""
    old_whatsapp: bool = False

    @property
    def jid(self) -> str:
        """The WhatsApp id; accounts older than the 9th digit keep eight digits."""
        digits = self.phone
        if self.old_whatsapp and len(digits) == 13:
            digits = digits[:4] + digits[5:]
        return f"{digits}@s.whatsapp.net" if digits else ""


@dataclass(frozen=True, slots=True)
class Company:
    """One company with everything its site, the search results and the registry say about it."""

    slug: str
    name: str
    legal_name: str
    cnpj: str
    city: str
    uf: str
    district: str
    segment: str
    about: str
    size: str
    clients: tuple[str, ...]
    founded: int
    listed_in: tuple[str, ...]
    google_title: str
    maps_title: str
    site: str
    registry: str
    porte: str
    cnae: int
    cnae_text: str
    known: bool
    fixed: str
    mobile: str
    number: int
    person: Person

    @property
    def domain(self) -> str:
        return f"{self.slug}-exemplo.com.br"

    @property
    def url(self) -> str:
        return f"http://www.{self.domain}/"

    @property
    def email(self) -> str:
        return f"contato@{self.domain}"

    @property
    def address(self) -> str:
        street = f"Rua dos Inventados, {100 + self.number}"
        return f"{street} - {self.district}, {self.city} - {self.uf}, {self.cep}"

    @property
    def cep(self) -> str:
        return f"0{4000 + self.number}-000"


@cache
def companies() -> tuple[Company, ...]:
    """Every company of `companies.toml`, in its order."""
    with (Path(__file__).parent / "companies.toml").open("rb") as file:
        entries = tomllib.load(file)["company"]
    return tuple(_company(number, entry) for number, entry in enumerate(entries, start=1))


def by_host(host: str) -> Company | None:
    """The company whose site answers at this host name."""
    bare = host.lower().split(":")[0].removeprefix("www.")
    return next((c for c in companies() if c.domain == bare), None)


def by_cnpj(cnpj: str) -> Company | None:
    return next((c for c in companies() if c.cnpj == cnpj), None)


def display_phone(digits: str) -> str:
    """5511955550101 as people write it: (11) 95555-0101."""
    if not digits:
        return ""
    ddd, local = digits[2:4], digits[4:]
    return f"({ddd}) {local[:-4]}-{local[-4:]}"


def phone_forms(number: str) -> set[str]:
    """The digits of a number with and without the 9th digit, as one person may be known by both."""
    digits = re.sub(r"\D", "", number.split("@")[0])
    forms = {digits}
    if digits.startswith("55") and len(digits) == 13 and digits[4] == "9":
        forms.add(digits[:4] + digits[5:])
    elif digits.startswith("55") and len(digits) == 12 and digits[4] in "6789":
        forms.add(digits[:4] + "9" + digits[4:])
    return forms


def person_from(changes: dict[str, Any], base: Person | None = None) -> Person:
    """A person as told by the control API, new or changed."""
    if base is None:
        base = Person(id="", name="", role="", temperament="silence", company="", email="")
    known = {k: v for k, v in changes.items() if k in Person.__dataclass_fields__}
    if "phone" in known:
        known["phone"] = re.sub(r"\D", "", known["phone"])
    if "email" in known:
        known["email"] = known["email"].lower()
    return replace(base, **known)


def _company(number: int, entry: dict[str, Any]) -> Company:
    ddd = entry.get("ddd", "11")
    who = entry["person"]
    fixed = f"55{ddd}555501{number:02d}"
    mobile = entry.get("mobile", f"55{ddd}9555501{number:02d}")
    slug = entry["slug"]
    first_name = _plain(who["name"].split()[0])
    person = Person(
        id=slug,
        name=who["name"],
        role=who["role"],
        temperament=who["temperament"],
        company=entry["name"],
        email=f"{first_name}@{slug}-exemplo.com.br",
        phone=mobile,
        says=who.get("says", ""),
        lid=who.get("lid", ""),
        old_whatsapp=who.get("old_whatsapp", False),
    )
    return Company(
        slug=slug,
        name=entry["name"],
        legal_name=entry["legal_name"],
        cnpj=entry["cnpj"],
        city=entry["city"],
        uf=entry["uf"],
        district=entry["district"],
        segment=entry["segment"],
        about=entry["about"],
        size=entry.get("size", ""),
        clients=tuple(entry.get("clients", ())),
        founded=entry["founded"],
        listed_in=tuple(entry["in"]),
        google_title=entry.get("google", ""),
        maps_title=entry.get("maps", entry["name"]),
        site=entry.get("site", "normal"),
        registry=entry.get("registry", "ATIVA"),
        porte=entry.get("porte", "DEMAIS"),
        cnae=entry.get("cnae", 7311400),
        cnae_text=entry.get("cnae_text", "Agências de publicidade"),
        known=entry.get("known", False),
        fixed=fixed,
        mobile=mobile,
        number=number,
        person=person,
    )


def _plain(word: str) -> str:
    return word.lower().translate(str.maketrans("áàâãéêíóôõúç", "aaaaeeiooouc"))
