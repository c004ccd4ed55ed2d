"""What an inbound message is, as far as words and headers alone can tell; the rest is for the model or a person.

The order matters: a bounce read as a reply once made a loop of messages, so bounces are tested first.
An opt-out is for ever, so the words must leave no doubt; a doubtful one waits for a person, and so does all that
would leave to whoever wrote it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from somos.modules.sdr.rules import bounces
from somos.modules.sdr.rules.automatic import REPLIED, says_automatic, sent_in_bulk, submitted_by_machine
from somos.modules.sdr.rules.bounces import Bounced
from somos.modules.sdr.rules.message_ids import is_answer_subject
from somos.modules.sdr.rules.optout import Refusal, refusal_in
from somos.modules.sdr.rules.own_words import Parts, parts_of, unquoted

Label = Literal["automatic", "bounce", "optout", "interested", "question", "later", "no", "wrong_person", "unclear"]
LABELS: tuple[Label, ...] = get_args(Label)
# A person wrote and it is known what they mean: everything still queued for them stops.
HUMAN: frozenset[str] = frozenset({"interested", "question", "later", "no", "wrong_person", "optout"})
WANTS_TO_TALK = ("interested", "question")
# Nobody wrote: not a reply.
MACHINE: frozenset[str] = frozenset({"automatic", "bounce"})

CONFIDENCE_LIMIT = 0.7
DOUBT = 0.5


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as it arrived."""

    channel: str
    from_address: str
    text: str
    subject: str = ""
    headers: Mapping[str, str] | None = None

    @property
    def parts(self) -> Parts:
        """What its writer wrote, and what stands below it."""
        return parts_of(self.text) if self.channel == "email" else Parts(unquoted(self.text))

    @property
    def named(self) -> dict[str, str]:
        """The headers by their names in lower case; none but of mail."""
        if self.channel != "email":
            return {}
        return {name.lower(): str(value) for name, value in (self.headers or {}).items()}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label, and the words that led to it."""

    label: Label
    quote: str
    confidence: float = 1.0


def by_rules(message: Inbound) -> Verdict | None:
    """Bounce, then opt-out, then automatic, then what needs a person; None when the words alone do not settle it."""
    headers, parts = message.named, message.parts
    if message.channel == "email" and (quote := bounce_sign(message)):
        return Verdict("bounce", quote)
    refusal = _refusal(message, parts)
    if quote := submitted_by_machine(headers):
        # People who answer from a help desk are marked as machines too; whoever is away is not.
        if refusal and refusal.certain and REPLIED not in quote:
            return Verdict("unclear", refusal.quote, DOUBT)
        return Verdict("automatic", quote)
    if refusal and refusal.certain:
        return Verdict("optout", refusal.quote)
    if quote := says_automatic(message.subject if message.channel == "email" else "", parts.own):
        return Verdict("automatic", quote)
    if refusal:
        return Verdict("unclear", refusal.quote, DOUBT)
    if quote := sent_in_bulk(headers):
        return Verdict("automatic", quote)
    return None if parts.own.strip() else Verdict("unclear", "", DOUBT)


def by_model(label: str, confidence: float, quote: str) -> Verdict:
    """What to make of the model's answer: below the limit, or a label it cannot know, it is for a person.

    Whether an e-mail bounced is read from its headers, so a model that says so is not believed.
    """
    if label not in LABELS or label == "bounce" or not CONFIDENCE_LIMIT <= confidence <= 1.0:
        return Verdict("unclear", quote, min(max(confidence, 0.0), 1.0))
    return Verdict(label, quote, confidence)


def bounce_sign(message: Inbound) -> str | None:
    """What shows that this is a provider reporting mail that did not arrive."""
    return bounces.bounce_sign(message.from_address, message.subject, message.text, message.named)


def bounced(message: Inbound) -> list[Bounced]:
    """The addresses that a bounce is about, and whether each is dead."""
    return bounces.bounced(message.subject, message.text, message.named)


def _refusal(message: Inbound, parts: Parts) -> Refusal | None:
    """In their own words; else in a subject of their own; else, in doubt, in what stands below as a signature."""
    own = refusal_in(parts.own)
    if own is not None and own.certain:
        return own
    if message.channel == "email" and not is_answer_subject(message.subject):
        subject = refusal_in(message.subject)
        if subject is not None and (subject.certain or own is None):
            return subject
    if own is None and (below := refusal_in(parts.below)) is not None and below.certain:
        return Refusal(below.quote, certain=False)
    return own
