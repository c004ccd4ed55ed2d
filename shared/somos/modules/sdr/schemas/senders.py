"""Senders, their windows, caps and health."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from somos.mesh import Body, Filter, Model, OneOf, Patch, Record
from somos.modules.sdr.rules.machines import SENDER_HEALTH
from somos.modules.sdr.rules.windows import minute_of
from somos.modules.sdr.rules.words import Channel
from somos.modules.sdr.schemas.fields import Day, Hour, Short, Zone
from somos.modules.sdr.tables.senders import Sender

Weekday = Annotated[int, Field(ge=0, le=6)]
Weekdays = Annotated[list[Weekday], Field(min_length=1, max_length=7, description="0 é segunda, 6 é domingo")]
Count = Annotated[int, Field(ge=0, le=10_000)]
Health = Annotated[str, OneOf(SENDER_HEALTH.states)]
Uf = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]


def check_window(opens: str, closes: str) -> None:
    """Raises ValueError for a window that never opens."""
    if minute_of(opens) >= minute_of(closes):
        raise ValueError("O horário de abertura deve vir antes do de fechamento")


class SenderFields(Model):
    name: Short
    person_name: Short
    sandbox: bool = False
    time_zone: Zone = "America/Sao_Paulo"
    uf: Uf | None = "SP"
    opens: Hour = "08:00"
    closes: Hour = "20:00"
    weekdays: Weekdays = Field(default_factory=lambda: [0, 1, 2, 3, 4])
    skip_holidays: bool = True
    daily_cap: Count = 40
    ramp_start: Count = 10
    ramp_step: Count = 5
    ramp_since: Day | None = Field(None, description="Primeiro dia do aquecimento; sem ele, o limite vale inteiro")


class SenderDraft(SenderFields, Body):
    """`address`: a instância da Evolution, o remetente do e-mail (Nome <a@b.c>) ou a página do LinkedIn."""

    channel: Channel
    address: Short

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "SenderDraft":
        check_window(self.opens, self.closes)
        return self


class SenderPatch(SenderFields, Patch):
    active: bool


class SenderFilter(Filter):
    table: ClassVar[Any] = Sender
    sort: Literal["id", "-id"] = "id"
    channel: Channel | None = None
    active: bool | None = None
    health: Health | None = None


class SenderView(SenderFields, Record):
    channel: Channel
    address: str
    active: bool
    health: Health
    health_reason: str | None
    health_until: datetime | None
