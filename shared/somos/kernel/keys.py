"""The keys by which people and companies are recognised: phone, e-mail, domain and CNPJ, normalised. Pure.

Every module compares these values, so they are made in one place. A value that cannot be a key is None, never a
guess.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from somos.kernel.documents import normalise_cnpj
from somos.kernel.emails import normalise_email
from somos.kernel.hosts import domain_of
from somos.kernel.phones import normalise_phone, phone_variants

KeyKind = Literal["phone", "email", "domain", "cnpj", "profile"]


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
        return key_hashes(secret, [("phone", self.phone), ("email", self.email)])


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

    def hashes(self, secret: str) -> list[str]:
        """The keyed hashes of all by which this company is recognised."""
        kinds: list[tuple[KeyKind, str | None]] = [("cnpj", self.cnpj), ("domain", self.domain)]
        return key_hashes(secret, [*kinds, ("phone", self.phone), ("email", self.email)])


def key_hashes(secret: str, values: Iterable[tuple[KeyKind, str | None]]) -> list[str]:
    """Of these values, those that there are, hashed."""
    return [key_hash(secret, kind, value) for kind, value in values if value]


def key_hash(secret: str, kind: KeyKind, value: str) -> str:
    """Keyed hash of one normalised value: still recognised after the person's data is erased.

    Phones are hashed with their 9th digit, so both variants of a number have one hash.
    """
    if kind == "phone":
        value = phone_variants(value)[0]
    return hmac.new(secret.encode(), f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
