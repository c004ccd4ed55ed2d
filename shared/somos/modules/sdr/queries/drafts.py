"""What a draft needs: to whom, from which evidence, and what the model is asked."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.modules.hunter.queries import leads as hunter
from somos.modules.hunter.queries.leads import LeadCard
from somos.modules.sdr.rules.own_words import own_words
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.responses import Response
from somos.modules.sdr.tables.senders import Sender
from somos.ports.llm import Prompt, section

PROMPTS = Path(__file__).parent.parent / "prompts"
HOUSE = "Somos Produtora: produtora audiovisual brasileira; filmes, vídeos institucionais e conteúdo para marcas."
FIRST_CONTACT = "Escreva a primeira mensagem para esta pessoa, a partir de um fato das evidências."


class OutreachDraft(BaseModel):
    """What the model writes."""

    model_config = ConfigDict(extra="forbid")

    subject: str | None = Field(None, description="Assunto do e-mail, uma linha; nulo no WhatsApp e no LinkedIn")
    text: str = Field(description="O texto pronto para enviar, sem campos por preencher")


def address_of(card: LeadCard, channel: str) -> str | None:
    """Where this lead is reached on a channel; LinkedIn's page is for the person to find, so it is empty."""
    keys = PersonKeys.of(card.phone, card.email)
    return {"whatsapp": keys.phone, "email": keys.email, "linkedin": ""}[channel]


def draft_prompt(channel: str, card: LeadCard, sender: Sender, instruction: str, answered: str = "") -> Prompt:
    """What the model is asked; everything about the lead is data between tags."""
    evidence = "\n".join(f"[{e.field}] {e.quote or e.value} ({e.url or 'sem endereço'})" for e in card.evidence)
    company = [card.company_name, f"{card.city}/{card.uf}" if card.city else None, card.domain]
    person = [card.contact_name, card.contact_role]
    sections = [
        section("canal", channel),
        section("empresa", "\n".join(part for part in company if part)),
        section("pessoa", "\n".join(part for part in person if part)),
        section("remetente", sender.person_name),
        section("produtora", HOUSE),
        section("evidencias", evidence),
        section("instrucao", instruction),
    ]
    if answered:
        sections.append(section("mensagem", answered))
    name = "draft_email" if channel == "email" else "draft_whatsapp"
    return Prompt(name=name, system=prompt_text(name), user="\n".join(sections))


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """What a draft needs: the question for the model, and the evidence that will stand beside the text."""

    prompt: Prompt
    evidence: list[dict[str, Any]]


def draft_request(db: Session, message_id: UUID) -> DraftRequest | None:
    """The draft to be written, or None when it is not wanted any more."""
    message = db.get(OutreachMessage, message_id)
    card = hunter.lead_card(db, message.lead_id) if message is not None and message.state == "drafted" else None
    if message is None or card is None:
        return None
    received = None
    if message.kind == "reply":
        latest = select(Response.text).where(Response.lead_id == message.lead_id).order_by(Response.id.desc())
        received = db.scalars(latest.limit(1)).first()
    instruction = message.instruction or FIRST_CONTACT
    sender = db.get_one(Sender, message.sender_id)
    prompt = draft_prompt(message.channel, card, sender, instruction, own_words(received or ""))
    return DraftRequest(prompt, evidence_of(card))


def evidence_of(card: LeadCard) -> list[dict[str, Any]]:
    """The lead as the person who approves sees it beside the text."""
    return [{"field": e.field, "value": e.value, "quote": e.quote, "url": e.url} for e in card.evidence]


@cache
def prompt_text(name: str) -> str:
    """A prompt file; its wording is part of what is recorded of each call."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()
