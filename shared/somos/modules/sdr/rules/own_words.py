"""What of a message its writer wrote: without what they quote, sign with, and what programs add below.

No library of those that cut quotes knows Portuguese, and all take whatever stands below a quote for the quote
(mail-parser-reply, quotequail, email-reply-parser and unquotemail read 2 to 12 of 23 Brazilian mails right).
"""

import re
import unicodedata
from dataclasses import dataclass

_HEADER_LINES = 3  # programs wrap long quote headers
_FULL_LINE = 50  # a line at least this long was broken by a program, not by its writer


@dataclass(frozen=True, slots=True)
class Parts:
    """The writer's own words, and what stands below them as a signature."""

    own: str
    below: str = ""


def own_words(text: str) -> str:
    """What the person wrote, without the message they quoted, signature and footers."""
    return parts_of(text).own


def parts_of(text: str) -> Parts:
    """Split an e-mail's text; what is quoted, or a program's footer, is in neither part."""
    return _without_signature(_without_quotes(_lines(text)))


def unquoted(text: str) -> str:
    """A chat message without the lines that its writer marked as quoted; all of it when nothing else is left."""
    kept = "\n".join(line for line in _lines(text) if not _is_quoted(line)).strip()
    return kept or text.strip()


def plain(text: str) -> str:
    """Lower case, no accents, no invisible characters, one space: how words are compared."""
    bare = "".join(
        c
        for c in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(c) and unicodedata.category(c) != "Cf"
    )
    return re.sub(r"[^\S\n]+", " ", bare.replace("’", "'")).strip()


def paragraphs(text: str) -> list[str]:
    """Blocks between blank lines."""
    return [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]


def sentences(text: str) -> list[str]:
    """Sentences and lines of a `plain` text; a line that a program broke goes on in the next one."""
    reflowed = re.sub(rf"(?m)^(.{{{_FULL_LINE},}}[^.!?;:\n])\n(?=\S)", r"\1 ", text)
    return [sentence.strip(" ,:-*_\"'()") for sentence in re.split(r"(?<=[.!?;])\s+|[!?;]+|\.{2,}|\n+", reflowed)]


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\xa0", " ").split("\n")


# --- quotes ---------------------------------------------------------------------------------------------

_MONTH = r"(jan|fev|feb|mar|abr|apr|mai|may|jun|jul|ago|aug|set|sep|out|oct|nov|dez|dec)[a-zç]*\.?"
_DATE = rf"(\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}|\d{{4}}-\d\d-\d\d|\d{{1,2}}º? (de )?{_MONTH}|{_MONTH} \d{{1,2}})"
_ADDRESS = r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@:]+"
_WROTE = r"(escreveu|escreveram|wrote|writes|escribi[oó]|a [eé]crit)"
_DATED = re.compile(rf"(?i){_DATE}")
_ADDRESSED = re.compile(_ADDRESS)
# Only a line that begins as a header goes on in the next one.
_HEADER_BEGINS = re.compile(rf"(?i)^[*_\"“]*(em|on|no dia|el|le|citando|quoting|{_DATE})\b")
_WROTE_LINE = re.compile(rf"(?i)^.{{0,250}}\b{_WROTE}\b.{{0,60}}:$")
# When, who and the address, without a verb.
_DATED_ADDRESS_LINE = re.compile(rf"(?i)^{_DATE}.{{1,120}}<{_ADDRESS}>:$")
# The same, run together with the words around it by a program that dropped the lines.
_WROTE_WITHIN = re.compile(rf"(?i)\b(em|on)\b [^\n]{{0,30}}{_DATE}[^\n]{{0,120}}<{_ADDRESS}>[^\n]{{0,10}}{_WROTE}\s*:")
_HEADERS_WITHIN = re.compile(
    r"(?i)(?:^|\s)\*?(de|from)\s?:\*? .{2,160}?\*?(enviad[ao]( em)?|sent|data|date)\s?:\*? .{4,120}?"
    r"\*?(para|to)\s?:\*? "
)
_FROM_LINE = re.compile(r"(?i)^\*?(de|from|remetente)\s?:\*?\s?\S")
_OTHER_HEADER = re.compile(
    r"(?i)^\*?(enviad[ao]( em| el)?|sent|data|date|para|to|cc|cco|bcc|assunto|subject|asunto|responder a|reply-to)"
    r"\s?:\*?(\s|$)"
)
_SEPARATOR = re.compile(
    r"(?i)^[\s\-_*=]*(mensagem original|original message|mensagem (en)?caminhada|forwarded message|mensaje original"
    r"|mensagem de origem|in[ií]cio da mensagem encaminhada|begin forwarded message)[\s\-_*=:]*$"
)
_RULE = re.compile(r"^\s*[_\-=—]{5,}\s*$")


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


def _without_quotes(lines: list[str]) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if _is_quoted(line):
            at += 1
            continue
        if taken := _quote_header(lines, at):
            below = _next_words(lines, at + taken)
            if below is None or not _is_quoted(below):
                break  # nothing marks the quoted lines: all that follows is quoted
            at += taken
            continue
        if _SEPARATOR.match(line) or _is_header_block(lines, at):
            break
        if within := _WROTE_WITHIN.search(line) or _HEADERS_WITHIN.search(line):
            kept.append(line[: within.start()])
            break
        kept.append(lines[at].rstrip())
        at += 1
    return kept


def _quote_header(lines: list[str], at: int) -> int:
    """How many lines the quote header takes that begins here; 0 when none does.

    A header is a line of its own that says who wrote, and when or from which address.
    """
    joined = ""
    for count in range(1, min(_HEADER_LINES, len(lines) - at) + 1):
        line = lines[at + count - 1].strip()
        if not line or _is_quoted(line):
            return 0
        if count == 2 and not _HEADER_BEGINS.match(joined):
            return 0
        joined = f"{joined} {line}".strip()
        if _DATED_ADDRESS_LINE.match(joined):
            return count
        if _WROTE_LINE.match(joined) and (_DATED.search(joined) or _ADDRESSED.search(joined)):
            return count
        if joined.endswith((".", "!", "?")) or len(joined) > 300:
            return 0  # a sentence ended: this is prose
    return 0


def _is_header_block(lines: list[str], at: int) -> bool:
    """`De:`, `Enviada em:`, `Para:`, as Outlook writes above what it quotes, perhaps below a rule."""
    following = [line.strip() for line in lines[at : at + 8] if line.strip()]
    if following and _RULE.match(following[0]):
        following = following[1:]
    if len(following) < 2 or not _FROM_LINE.match(following[0]):
        return False
    return any(_OTHER_HEADER.match(line) for line in following[1:3])


def _next_words(lines: list[str], at: int) -> str | None:
    return next((line for line in lines[at:] if line.strip()), None)


# --- signatures and footers -----------------------------------------------------------------------------

_SIGNATURE_MARK = re.compile(r"^\s*(--|—|__+|-{5,}|={5,})\s*$")
_DEVICE = re.compile(
    r"^\W*((enviad[oa]|mandad[oa]) (de|do|da|pelo|pela|via|por|com|atraves d[oae]|a partir d[oae]|usando) .{1,60}"
    r"|sent (from|via|with|using) .{1,60}|(get|obter( o)?|baixe( o)?|obtenha( o)?) outlook .{0,40}"
    r"|(digitado|escrito) (do|no|pelo) (meu )?celular.{0,60}|livre de virus.{0,60}|virus-free.{0,60})\W*$"
)
_DEVICE_NAMES = re.compile(
    r"iphone|ipad|android|samsung|galaxy|motorola|moto |xiaomi|redmi|huawei|celular|smartphone|telefone|tablet"
    r"|dispositivo|outlook|yahoo|gmail|mail|bol|uol|proton|avast|spark|blackberry|windows|my phone|mobile|livre|virus"
)
_GOODBYE = re.compile(
    r"^(att|atte|atenciosamente|cordialmente|respeitosamente|abracos?|abs|um abraco|grande abraco|abraco,? .{1,20}"
    r"|(kind |best |warm )?regards|best|cheers|sds|saudacoes|sinceramente)[\s.,!]*$"
)
_FOOTER = re.compile(
    r"unsubscribe|descadastr|cancelar (a |sua |minha )?(inscricao|assinatura)|preferencias|preferences"
    r"|ver no navegador|view (this )?in (your )?browser|deixar de receber|nao (deseja|queira|quer)"
    r"|stop receiving|no longer wish|confidencia|sigilos|privileged|destinatari|intended (only )?(for|recipient)"
    r"|aviso legal|disclaimer|lgpd|13\.?709|protecao de dados|antes de imprimir|meio ambiente|antivirus|virus"
)
# A person asks for themselves; a footer says what "you" may do.
_FIRST_PERSON = re.compile(
    r"\b(me|meus?|minhas?|nos|noss[oa]s?|quero|queremos|gostaria(mos)?|favor|gentileza|solicit\w+|peco|pedimos|exijo"
    r"|autorizo|autorizamos|revogo|my|us|please remove)\b"
)
_LINKED = re.compile(r"https?://|www\.|\||clique|click|aqui|here|acesse|responda|reply")
_LONG_NOTICE = 80


def _without_signature(lines: list[str]) -> Parts:
    own: list[str] = []
    below: list[str] = []
    for at, line in enumerate(lines):
        flat = plain(line)
        if _is_device(flat):
            continue
        signed = _SIGNATURE_MARK.match(line) or _GOODBYE.match(flat)
        if signed and any(kept.strip() for kept in own):
            below = [rest for rest in lines[at + 1 :] if not _is_device(plain(rest))]
            break
        own.append(line)
    blocks = paragraphs("\n".join(own))
    while len(blocks) > 1 and _is_footer(blocks[-1]):
        blocks.pop()
    signature = [block for block in paragraphs("\n".join(below)) if not _is_footer(block)]
    return Parts("\n\n".join(blocks), "\n\n".join(signature))


def _is_device(flat: str) -> bool:
    return bool(_DEVICE.match(flat) and _DEVICE_NAMES.search(flat))


def _is_footer(block: str) -> bool:
    """A way out, a notice of confidentiality: below everything else, with a link or long."""
    flat = plain(block)
    if not _FOOTER.search(flat) or _FIRST_PERSON.search(flat):
        return False
    return bool(_LINKED.search(flat)) or len(flat) > _LONG_NOTICE
