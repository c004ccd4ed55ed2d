"""What an inbound message is, as far as words and headers alone can tell; the rest is for the model or a person.

The order matters: a bounce read as a reply once made a loop of messages, so bounces are tested first.
An opt-out is for ever, so the words must leave no doubt; a doubtful text goes to the model.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from somos.modules.keys import normalise_email

Label = Literal["automatic", "bounce", "optout", "interested", "question", "later", "no", "wrong_person", "unclear"]
LABELS: tuple[Label, ...] = get_args(Label)
# A person wrote and it is known what they mean: everything still queued for them stops.
HUMAN: frozenset[str] = frozenset({"interested", "question", "later", "no", "wrong_person", "optout"})
# Nobody wrote: not a reply.
MACHINE: frozenset[str] = frozenset({"automatic", "bounce"})

CONFIDENCE_LIMIT = 0.7


@dataclass(frozen=True, slots=True)
class Inbound:
    """One message as it arrived."""

    channel: str
    from_address: str
    text: str
    subject: str = ""
    headers: Mapping[str, str] | None = None

    def header(self, name: str) -> str:
        return next((v for k, v in (self.headers or {}).items() if k.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label, and the words that led to it."""

    label: Label
    quote: str
    confidence: float = 1.0


def by_rules(message: Inbound) -> Verdict | None:
    """Bounce, then opt-out, then automatic; None when the words alone do not settle it.

    An out-of-office note that quotes our own footer is no opt-out: only what the person wrote is read.
    """
    if quote := bounce_sign(message):
        return Verdict("bounce", quote)
    if quote := automatic_header(message):
        return Verdict("automatic", quote)
    if quote := optout_words(fresh_text(message.text)):
        return Verdict("optout", quote)
    if message.channel == "email" and (quote := optout_words(_without_re(message.subject))):
        return Verdict("optout", quote)
    if quote := automatic_words(message):
        return Verdict("automatic", quote)
    return None


def settle(label: str, confidence: float, quote: str) -> Verdict:
    """What to make of the model's answer: below the limit, or a label it cannot know, it is for a person.

    Whether an e-mail bounced is read from its headers, so a model that says so is not believed.
    """
    if label not in LABELS or label == "bounce" or not CONFIDENCE_LIMIT <= confidence <= 1.0:
        return Verdict("unclear", quote, min(max(confidence, 0.0), 1.0))
    return Verdict(label, quote, confidence)


# --- bounces --------------------------------------------------------------------------------------------

_BOUNCER = re.compile(r"(?i)^(mailer-daemon|postmaster|mail-daemon|bounces?)(\+[^@]*)?@")
_BOUNCE_SUBJECT = re.compile(
    r"(?i)^\s*(undeliver(ed|able)|delivery status notification \(failure\)|mail delivery (failed|failure|subsystem)"
    r"|returned mail|failure notice|delivery (has )?failed|n[aã]o foi poss[ií]vel entregar"
    r"|endere[cç]o n[aã]o encontrado"
    r"|falha na entrega|mensagem n[aã]o entregue|devolvid[ao])"
)
_FAILED = re.compile(r"(?im)^(?:final|original)-recipient:\s*(?:rfc822;)?\s*(\S+@\S+)")
_ANY_ADDRESS = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")


def bounce_sign(message: Inbound) -> str | None:
    """What shows that this is a provider reporting a dead address."""
    if message.channel != "email":
        return None
    if message.header("x-failed-recipients"):
        return "X-Failed-Recipients"
    if "report-type=delivery-status" in message.header("content-type").lower():
        return "delivery-status"
    if _BOUNCER.match(message.from_address) and (
        _BOUNCE_SUBJECT.match(message.subject) or _FAILED.search(message.text)
    ):
        return message.subject.strip()[:200] or "mailer-daemon"
    return None


def bounced_addresses(message: Inbound) -> list[str]:
    """The addresses a bounce says are dead: its header, its report, else every address its text names."""
    said = _ANY_ADDRESS.findall(message.header("x-failed-recipients")) or _FAILED.findall(message.text)
    found = [normalise_email(a) for a in said or _ANY_ADDRESS.findall(message.text)]
    return list(dict.fromkeys(a for a in found if a and not _BOUNCER.match(a)))


# --- automatic ------------------------------------------------------------------------------------------

_AUTOMATIC_SUBJECT = re.compile(
    r"(?i)^\s*(re:\s*|res:\s*)?(resposta autom[aá]tica|auto(matic)?[ -]?re(ply|sponse)|out of (the )?office"
    r"|fora do escrit[oó]rio|aus[eê]ncia tempor[aá]ria|mensagem autom[aá]tica|aviso de f[eé]rias)"
)
_AUTOMATIC_TEXT = re.compile(
    r"\b((esta|essa) (e )?(uma )?(mensagem|resposta) (e )?automatica|mensagem automatica|resposta automatica"
    r"|out of (the )?office|automatic reply|fora do escritorio (ate|de|entre)"
    r"|agradecemos (o )?(seu|sua) (contato|mensagem).{0,120}(em breve|retornaremos|responderemos|assim que possivel)"
    r"|nosso horario de atendimento (e|sera)\b)"
)


def automatic_header(message: Inbound) -> str | None:
    """What the mail program says of itself."""
    submitted = message.header("auto-submitted").lower()
    if submitted and submitted != "no":
        return f"Auto-Submitted: {submitted}"[:200]
    if message.header("x-autoreply") or message.header("x-autorespond"):
        return "X-Autoreply"
    if message.header("precedence").lower() in ("auto_reply", "bulk", "junk"):
        return f"Precedence: {message.header('precedence')}"
    return None


def automatic_words(message: Inbound) -> str | None:
    if message.channel == "email" and (found := _AUTOMATIC_SUBJECT.match(message.subject)):
        return found[0].strip()
    found = _AUTOMATIC_TEXT.search(plain(fresh_text(message.text)))
    return found[0] if found else None


# --- opt-out --------------------------------------------------------------------------------------------

_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        "parar pare sair sai remover remova descadastrar descadastre descadastro descadastrem stop unsubscribe"
        " cancelar cancela cancele",
    )
)
# Around a keyword these add nothing: "quero sair da lista, por favor".
_POLITE = frozenset(
    re.findall(
        r"\w+",
        "por favor pf pfv pfvr please quero queria gostaria desejo preciso de me da do das dos desta dessa deste desse"
        " sua seu lista listas contato contatos base cadastro inscricao mailing obrigado obrigada obg grato grata"
        " gentileza isso isto as os a o mensagem mensagens mim eu ja agora e ok",
    )
)
_OBJECT = (
    r"(mensage(m|ns)|msgs?|nada|isso|isto|essas?|esses?|estas?|e-?mails?|whats(app)?|zap|propagandas?|spam"
    r"|ofertas?)"
)
_PHRASES = re.compile(
    rf"\b(nao (me )?(mande|manda|mandem|envie|envia|enviem|escreva|escrevam)( mais)?( (mais )?{_OBJECT}\b| mais$|$)"
    r"|nao me (mande|manda|mandem|envie|envia|enviem|escreva|escrevam|procure|procurem|contate|contatem|perturbe"
    r"|perturbem|incomode|incomodem|ligue|liguem) mais\b(?! (tarde|cedo|adiante|um|uma|detalhe|(pra|para) frente))"
    r"|nao (quero|desejo|gostaria de) (mais )?receber\b"
    r"|(pare|parem|para|parar) de (me )?(mandar|enviar|escrever|incomodar|perturbar|encher|ligar|contatar)"
    r"|(me )?(tira|tire|tirem|remova|removam|remove|retire|retirem|exclua|excluam) (o )?(meu|minha|nosso|nossa)?\s?"
    r"(numero|contato|e-?mail|nome|telefone|whats(app)?)?\s?(da|das|de|dessa|desta|do|desse) (sua |suas |seu )?"
    r"(lista|listas|base|cadastro|contatos|mailing)"
    r"|me (tira|tire|remova|remove|retire|exclua|descadastre) (daqui|disso|dessa|desta|da lista)"
    r"|(remova|remove|retire|exclua|apague|delete) (o )?(meu|nosso)"
    r" (numero|contato|e-?mail|nome|telefone|cadastro|dados)"
    r"|(quero|queria|gostaria de|desejo) (me descadastrar|sair d(a|essa|esta) lista|ser (removid|retirad|excluid)[oa])"
    r"|(sair|saia|remover|remocao|exclusao) d(a|e|essa|esta) (sua )?lista"
    r"|opt ?-?out|unsubscribe|descadastr(ar|e|em|amento) (me|meu|o|do|da|imediato)"
    r"|nunca mais (me )?(mande|envie|escreva|procure|contate|ligue))"
)
_NEGATED = re.compile(r"\b(nao|nem) (quero|queria|precisa|precisam|pare|parem|vou|pretendo)\b")


def optout_words(text: str) -> str | None:
    """The words that ask never to be written to again, or None when there is any doubt."""
    flat = plain(text)
    for sentence in (s.strip() for s in re.split(r"[.!?;\n]+", flat)):
        if not sentence:
            continue
        if found := _PHRASES.search(sentence.replace(",", " ").replace("  ", " ")):
            return found[0].strip()
    words = re.findall(r"[a-z0-9]+", flat)
    if 0 < len(words) <= 8 and not _NEGATED.search(flat):
        keywords = [word for word in words if word in _KEYWORDS]
        if keywords and all(word in _KEYWORDS or word in _POLITE for word in words):
            return " ".join(words)
    return None


# --- texts ----------------------------------------------------------------------------------------------

_QUOTE_START = re.compile(
    r"(?im)^\s*(>|-{2,}\s*(mensagem original|original message|mensagem encaminhada)"
    r"|em .{4,120}(escreveu|wrote):|on .{4,120} wrote:|de: .{1,120}$|from: .{1,120}$|_{8,})"
)


def fresh_text(text: str) -> str:
    """What the person wrote, without the message they quoted."""
    found = _QUOTE_START.search(text)
    return text[: found.start()] if found else text


def plain(text: str) -> str:
    """Lower case, no accents, one space: how words are compared."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[^\S\n]+", " ", bare.replace("’", "'")).strip()


def _without_re(subject: str) -> str:
    return re.sub(r"(?i)^\s*((re|res|enc|fwd?|fw)\s*:\s*)+.*", "", subject)
