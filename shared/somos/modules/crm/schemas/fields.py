"""Kinds of values that the pipeline is sent."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from somos.kernel.documents import normalise_document
from somos.kernel.emails import normalise_email
from somos.kernel.hosts import domain_of
from somos.kernel.money import MAX_CENTS
from somos.kernel.phones import normalise_phone
from somos.kernel.places import parse_state


def _document(text: str) -> str:
    return _or_refuse(normalise_document(text), "CNPJ ou CPF inválido")


def _phone(text: str) -> str:
    return _or_refuse(normalise_phone(text), "Telefone inválido; use DDD e número")


def _email(text: str) -> str:
    return _or_refuse(normalise_email(text), "E-mail inválido")


def _domain(text: str) -> str:
    return _or_refuse(domain_of(text), "Informe o site próprio da empresa, não uma página em rede social")


def _state(text: str) -> str:
    return _or_refuse(parse_state(text), "UF inválida; use a sigla do estado")


def _or_refuse(value: str | None, reason: str) -> str:
    if value is None:
        raise ValueError(reason)
    return value


Short = Annotated[str, Field(min_length=1, max_length=200)]
Long = Annotated[str, Field(min_length=1, max_length=10_000)]
Percent = Annotated[int, Field(ge=0, le=100)]
Position = Annotated[int, Field(ge=0, le=1_000)]
Money = Annotated[int, Field(ge=0, le=MAX_CENTS, description="Valor em centavos")]
# Dates beyond these are slips of the keyboard, and break arithmetic at the ends of the calendar.
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31), description="AAAA-MM-DD")]
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1990, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC)),
    AfterValidator(lambda moment: moment.astimezone(UTC)),
]
Document = Annotated[str, Field(max_length=20), AfterValidator(_document)]
Phone = Annotated[str, Field(max_length=40), AfterValidator(_phone)]
Email = Annotated[str, Field(max_length=254), AfterValidator(_email)]
Domain = Annotated[str, Field(max_length=300), AfterValidator(_domain)]
Uf = Annotated[str, Field(max_length=30), AfterValidator(_state)]
Owner = Annotated[UUID | None, Field(description="Responsável; só a direção escolhe outra pessoa")]
