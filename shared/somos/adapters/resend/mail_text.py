"""The words of a mail that has HTML only: quoted lines begin with `>`, a signature stands below `-- `.

Programs mark what they quote in many ways, and plain text knows one: what is read later needs to know only that.
"""

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from somos.kernel.text import storable

_BLOCKS = frozenset(
    re.findall(
        r"\w+", "address article aside blockquote body dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6"
    )
    + re.findall(r"\w+", "header hr li main nav ol p pre section table tbody tr ul center")
)
_VOID = frozenset(re.findall(r"\w+", "area base br col embed hr img input link meta p li source td th tr track wbr"))
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
MAX_DEPTH = 2_000
_SPACED = frozenset(("p", "h1", "h2", "h3", "blockquote", "table", "ul", "ol"))  # with an empty line around
_DROPPED = frozenset(("style", "script", "head", "title", "template", "_comment", "-comment"))
_QUOTE_CLASSES = frozenset(
    re.findall(r"[\w-]+", "yahoo_quoted protonmail_quote tutanota_quote zmail_extra moz-email-quote")
)
_QUOTE_IDS = re.compile(r"(?i)^(x_)*(olk_src_body_section|isreplycontent|yahoo_quoted\w*)$")
# From here to the end of the mail all is quoted: Outlook puts what it quotes beside this mark, not into it.
_QUOTE_BEGINS = re.compile(r"(?i)^(x_)*(divrplyfwdmsg|appendonsend|mail-editor-reference-message-container)$")
_SIGNATURE = re.compile(
    r"(?i)\b(gmail_signature|moz-signature|ms-outlook-mobile-signature|protonmail_signature_block\w*"
    r"|ymail_android_signature)\b"
)
_SIGNATURE_IDS = re.compile(r"(?i)^(x_)*(signature|ms-outlook-mobile-signature|ymail_\w*signature)$")
# A link that a program put there; nobody asks for anything by typing a link.
_WAY_OUT = re.compile(r"(?i)unsubscribe|descadastr|cancelar|preferenc|prefer[eê]ncias|opt.?out|remover|sair")
_INDENTED_BY_HAND = re.compile(r"(?i)border\s*:\s*none")
_HIDDEN = re.compile(r"(?i)display\s*:\s*none")


def plain_text(html: str) -> str:
    """The words of a mail's HTML, line by line."""
    if _is_too_deep(html):
        return storable(re.sub(r"<[^>]*>", "\n", html)).strip()
    body = LexborHTMLParser(html).body if html else None
    if body is None:
        return ""
    page = _Page()
    for kind, node, quoted in _walk(body):
        page.add(kind, node, quoted)
    return storable(page.text())


def _is_too_deep(html: str) -> bool:
    """Parsing takes the square of the depth: nobody's mail nests like this."""
    depth = 0
    for closing, name in _TAG.findall(html):
        if name.lower() not in _VOID:
            depth += -1 if closing else 1
        if depth > MAX_DEPTH:
            return True
    return False


def _walk(body: LexborNode) -> Iterator[tuple[str, LexborNode, bool]]:
    """Each node as it opens ("open", "text") and closes ("close"), and whether it is quoted.

    Without recursion, which ends before the depth does.
    """
    rest_is_quoted = False
    stack: list[tuple[LexborNode, bool, bool]] = [(body, False, False)]
    while stack:
        node, inside_quote, closing = stack.pop()
        tag = node.tag or ""
        if closing:
            yield "close", node, inside_quote or rest_is_quoted
            continue
        if tag == "-text":
            yield "text", node, inside_quote or rest_is_quoted
            continue
        attributes = {name: value or "" for name, value in node.attributes.items()}
        if tag in _DROPPED or _HIDDEN.search(attributes.get("style", "")) or _is_way_out(node, attributes):
            continue
        rest_is_quoted = rest_is_quoted or bool(_QUOTE_BEGINS.match(attributes.get("id", "")))
        quoted = inside_quote or _is_quote(tag, attributes)
        yield "open", node, quoted or rest_is_quoted
        stack.append((node, quoted, True))
        stack += [(child, quoted, False) for child in reversed(list(node.iter(include_text=True)))]


def _is_quote(tag: str, attributes: dict[str, str]) -> bool:
    if tag == "blockquote":
        return not _INDENTED_BY_HAND.search(attributes.get("style", ""))
    classes = set(attributes.get("class", "").split())
    return bool(classes & _QUOTE_CLASSES or _QUOTE_IDS.match(attributes.get("id", "")))


def _is_way_out(node: LexborNode, attributes: dict[str, str]) -> bool:
    return node.tag == "a" and attributes.get("href", "").startswith("http") and bool(_WAY_OUT.search(node.text()))


def _is_signature(node: LexborNode) -> bool:
    attributes = node.attributes
    marked = _SIGNATURE.search(attributes.get("class") or "")
    return bool(marked or _SIGNATURE_IDS.match(attributes.get("id") or ""))


class _Page:
    """Lines as they are filled; each knows whether it is quoted."""

    def __init__(self) -> None:
        self._lines: list[tuple[bool, str]] = []
        self._line, self._quoted = "", False

    def add(self, kind: str, node: LexborNode, quoted: bool) -> None:
        tag = node.tag or ""
        if kind == "text":
            self._write(node.text(deep=False), quoted)
        elif tag == "br":
            if kind == "open":
                self._end_line(quoted, keep_empty=True)
        elif tag in _BLOCKS:
            self._end_line(quoted)
            if tag in _SPACED:
                self._lines.append((quoted, ""))
            if kind == "open" and _is_signature(node) and not quoted:
                self._lines.append((False, "-- "))
        elif tag in ("td", "th"):
            self._line += " "

    def text(self) -> str:
        self._end_line(False)
        marked = (f"> {line}".rstrip() if quoted else line for quoted, line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(marked)).strip()

    def _write(self, words: str, quoted: bool) -> None:
        if words.strip() and quoted != self._quoted:
            self._end_line(self._quoted)
            self._quoted = quoted
        self._line += re.sub(r"[^\S\xa0]+", " ", words)

    def _end_line(self, quoted: bool, *, keep_empty: bool = False) -> None:
        line = re.sub(r" {2,}", " ", self._line.replace("\xa0", " ")).strip()
        if line or keep_empty:
            self._lines.append((self._quoted if line else quoted, line))
        self._line, self._quoted = "", quoted
