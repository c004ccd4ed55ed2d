"""The federal registry of companies (Receita Federal, open data)."""

from datetime import date
from typing import Protocol

from somos.mesh.effects import operation
from somos.ports.port import Port, Value


class Partner(Value):
    """A partner or director, as published."""

    name: str
    role: str | None = None
    since: date | None = None


class Activity(Value):
    """A CNAE code, 7 digits as text, and what it means."""

    code: str
    name: str | None = None


class RegistryRecord(Value):
    """What the registry knows of one CNPJ. `active` is the only status that can be worked with."""

    cnpj: str
    legal_name: str
    trade_name: str | None = None
    status: str
    status_since: date | None = None
    active: bool
    headquarters: bool | None = None
    opened_on: date | None = None
    activity: Activity | None = None
    other_activities: tuple[Activity, ...] = ()
    size: str | None = None
    legal_nature: str | None = None
    capital_cents: int | None = None
    simples: bool | None = None
    mei: bool | None = None
    address: str | None = None
    city: str | None = None
    uf: str | None = None
    postal_code: str | None = None
    phones: tuple[str, ...] = ()
    email: str | None = None
    partners: tuple[Partner, ...] = ()


class CompanyRegistry(Port, Protocol):
    @operation(unknown="retry")
    def by_cnpj(self, cnpj: str) -> RegistryRecord | None:
        """The record of a CNPJ (14 characters, also alphanumeric), or None when the registry has none."""
        ...
