"""Marks on records, as they are sent and shown."""

from typing import Literal
from uuid import UUID

from pydantic import model_validator

from somos.mesh import Body, Filter, Model, View
from somos.modules.crm.tables.taggings import Tagging


class TaggingFilter(Filter):
    table = Tagging
    sort: Literal["-id", "id"] = "-id"
    tag_id: UUID | None = None
    deal_id: UUID | None = None
    company_id: UUID | None = None
    contact_id: UUID | None = None


class TaggingFields(Model):
    tag_id: UUID
    deal_id: UUID | None = None
    company_id: UUID | None = None
    contact_id: UUID | None = None


class TaggingDraft(TaggingFields, Body):
    @model_validator(mode="after")
    def _one_subject(self) -> "TaggingDraft":
        if sum(value is not None for value in (self.deal_id, self.company_id, self.contact_id)) != 1:
            raise ValueError("Marque um negócio, uma empresa ou um contato")
        return self


class TaggingView(TaggingFields, View):
    id: UUID
