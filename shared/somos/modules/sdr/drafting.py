"""New messages and their drafts: to whom, from whom, and what the model is asked."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from somos.kernel.keys import PersonKeys
from somos.modules.hunter import queries as hunter
from somos.modules.hunter.queries import LeadCard
from somos.modules.sdr import people
from somos.modules.sdr.rules.drafts import UNSUBSCRIBE_PATH, unsubscribe_token, with_way_out
from somos.modules.sdr.rules.own_words import own_words
from somos.modules.sdr.rules.windows import zone_of
from somos.modules.sdr.tables import OutreachMessage, Response, Sender
from somos.ports.llm import LlmAnswer, Prompt, section

PROMPTS = Path(__file__).parent / "prompts"
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


def new_message(
    card: LeadCard, sender: Sender, secret: str, *, to: str | None = None, **values: Any
) -> OutreachMessage:
    """An empty draft to this lead from this sender; `to` is another address that they wrote from."""
    keys = PersonKeys.of(
        to if to and sender.channel == "whatsapp" else card.phone,
        to if to and sender.channel == "email" else card.email,
    )
    address = to or address_of(card, sender.channel)
    assert address is not None
    return OutreachMessage(
        lead_id=card.id,
        channel=sender.channel,
        sender_id=sender.id,
        to_address=address,
        phone_key=people.key_of(secret, "phone", keys.phone),
        email_key=people.key_of(secret, "email", keys.email),
        zone=zone_of(card.uf, sender.time_zone),
        uf=card.uf,
        **values,
    )


def sender_for(db: Session, channel: str, wanted: UUID | None = None) -> Sender | None:
    """The sender asked for, if it is of this channel and active; else the channel's first active one."""
    statement = select(Sender).where(Sender.channel == channel, Sender.active.is_(True))
    if wanted is not None:
        statement = statement.where(Sender.id == wanted)
    return db.scalars(statement.order_by(Sender.id).limit(1)).first()


def unsubscribe_link(public_url: str, secret: str, message_id: UUID) -> str:
    return f"{public_url.rstrip('/')}{UNSUBSCRIBE_PATH}{unsubscribe_token(secret, message_id)}"


def unsubscribe_headers(link: str) -> dict[str, str]:
    """One click in the mail program is enough (RFC 8058)."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def draft_prompt(channel: str, card: LeadCard, sender: Sender, instruction: str, said: str = "") -> Prompt:
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
    if said:
        sections.append(section("mensagem", said))
    name = "draft_email" if channel == "email" else "draft_whatsapp"
    return Prompt(name=name, system=text_of(name), user="\n".join(sections))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a draft needs: the question for the model, and the evidence that will stand beside the text."""

    prompt: Prompt
    evidence: list[dict[str, Any]]


def wanted(db: Session, message_id: UUID) -> Wanted | None:
    """The draft to be written, or None when it is not wanted any more."""
    message = db.get(OutreachMessage, message_id)
    card = hunter.lead_card(db, message.lead_id) if message is not None and message.state == "drafted" else None
    if message is None or card is None:
        return None
    heard = None
    if message.kind == "reply":
        said = select(Response.text).where(Response.lead_id == message.lead_id).order_by(Response.id.desc())
        heard = db.scalars(said.limit(1)).first()
    instruction = message.instruction or FIRST_CONTACT
    sender = db.get_one(Sender, message.sender_id)
    prompt = draft_prompt(message.channel, card, sender, instruction, own_words(heard or ""))
    return Wanted(prompt, evidence_of(card))


def evidence_of(card: LeadCard) -> list[dict[str, Any]]:
    """The lead as the person who approves sees it beside the text."""
    return [{"field": e.field, "value": e.value, "quote": e.quote, "url": e.url} for e in card.evidence]


@cache
def text_of(name: str) -> str:
    """A prompt file; its wording is part of what is recorded of each call."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def put_text(message: OutreachMessage, subject: str | None, text: str, now: datetime) -> None:
    """Write the final text into a draft."""
    message.subject = " ".join(subject.split()) if subject and message.channel == "email" else None
    message.text = text
    message.drafted_at = message.drafted_at or now


def put_draft(message: OutreachMessage, wanted: Wanted, answer: LlmAnswer, settings: Any, now: datetime) -> None:
    """Write down what the model wrote, with the way out that code adds and the evidence it stands on."""
    draft = OutreachDraft.model_validate(answer.output)
    link = unsubscribe_link(settings.public_url, settings.suppression_key, message.id)
    # Who wrote to us is answered; everybody else is told how to be left alone.
    text = draft.text if message.kind == "reply" else with_way_out(message.channel, draft.text, link)
    put_text(message, draft.subject, text, now)
    message.drafted_text, message.evidence = message.text, wanted.evidence
    message.model, message.prompt_version = answer.model, wanted.prompt.version
    message.tokens_in, message.tokens_out = answer.tokens_in, answer.tokens_out
