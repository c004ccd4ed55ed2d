"""Suppressions: what was asked, and never the address itself."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field, model_validator

from somos.kernel.emails import normalise_email
from somos.kernel.phones import normalise_phone
from somos.mesh import Body, Filter, View
from somos.modules.sdr.rules.words import AddressKind, SuppressionReach, SuppressionSource
from somos.modules.sdr.schemas.fields import Reason
from somos.modules.sdr.tables.suppressions import Suppression


class SuppressionFilter(Filter):
    table: ClassVar[Any] = Suppression
    sort: Literal["-id", "id"] = "-id"
    kind: AddressKind | None = None
    source: SuppressionSource | None = None
    reach: SuppressionReach | None = None


class Suppress(Body):
    """Whom never to write to again; one address is enough, the person's others follow."""

    phone: str | None = Field(None, max_length=40)
    email: str | None = Field(None, max_length=254)
    reason: Reason

    @model_validator(mode="after")
    def _somebody(self) -> "Suppress":
        if self.phone is not None and normalise_phone(self.phone) is None:
            raise ValueError("Telefone inválido; use DDD e número")
        if self.email is not None and normalise_email(self.email) is None:
            raise ValueError("E-mail inválido")
        if self.phone is None and self.email is None:
            raise ValueError("Informe um telefone ou um e-mail")
        return self


class SuppressionView(View):
    """`key` is a keyed hash: it recognises the address and does not reveal it."""

    id: UUID
    key: str
    kind: AddressKind
    reach: SuppressionReach
    source: SuppressionSource
    channel: str | None
    reason: str | None
    added_by: UUID | None
    created_at: datetime


class Suppressed(View):
    """How many addresses are suppressed for ever by this request, and how many messages will not leave."""

    addresses: int
    cancelled: int
