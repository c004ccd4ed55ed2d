"""What is asked before a twin is made, and the answer."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, View
from somos.modules.crm.schemas.merges import MergeKind


class DuplicateQuestion(Body):
    """What was typed so far; half an address is no key and is simply not compared."""

    kind: MergeKind
    name: str = Field("", max_length=200)
    document: str | None = Field(None, max_length=40)
    domain: str | None = Field(None, max_length=300)
    phone: str | None = Field(None, max_length=40)
    email: str | None = Field(None, max_length=254)
    city: str | None = Field(None, max_length=120)
    ignore_id: UUID | None = Field(None, description="O próprio registro, ao editar")


class Twin(View):
    id: UUID
    name: str
    kind: Literal["exact", "similar"]
    fields: list[str]
    score: int


class DuplicateAnswer(View):
    """`elsewhere`: somebody else's portfolio holds this very CNPJ or CPF; no more is told."""

    twins: list[Twin]
    elsewhere: bool = False
