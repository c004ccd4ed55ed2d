"""What one page of a site says: its text, links, e-mails, phones, networks and CNPJs."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

from somos.adapters.sites.site_rules import SiteRules
from somos.kernel.documents import normalise_cnpj
from somos.kernel.emails import normalise_email
from somos.kernel.phones import normalise_phone
from somos.kernel.text import storable

EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
PHONE = re.compile(r"(?<![\d./-])(?:\+?55[\s.-]?)?\(?0?\d{2}\)?[\s.-]{0,3}(?:9[\s.]?)?\d{4}[\s.-]?\d{4}(?![\d/])")
TOLL_FREE = re.compile(r"(?<!\d)0800[\s.-]?\d{3}[\s.-]?\d{4}(?!\d)")
CNPJ = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z0-9]{2}\.?[A-Za-z0-9]{3}\.?[A-Za-z0-9]{3}/[A-Za-z0-9]{4}-?\d{2}|\d{14})(?!\d)"
)
BLOCKS = (
    "address,article,aside,blockquote,br,dd,div,dl,dt,figcaption,footer,form,h1,h2,h3,h4,h5,h6,header,hr,li,main,"
    "nav,ol,option,p,pre,section,table,td,th,title,tr,ul"
)
CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?\s*([A-Za-z0-9_\-]+)", re.I)


@dataclass
class Page:
    """One page, read. Lists keep the order of the page."""

    url: str
    title: str = ""
    description: str = ""
    text: str = ""
    links: list[tuple[str, str]] = field(default_factory=list)  # absolute address, words
    emails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    whatsapps: list[str] = field(default_factory=list)
    socials: dict[str, str] = field(default_factory=dict)
    cnpjs: list[str] = field(default_factory=list)


def read_page(url: str, body: bytes, content_type: str, rules: SiteRules) -> Page:
    """Everything a page says, by the rules."""
    from selectolax.lexbor import LexborHTMLParser  # on first use

    tree = LexborHTMLParser(storable(_decoded(body, content_type)))
    page = Page(url=url)
    title = tree.css_first("title")
    page.title = _flat(title.text()) if title else ""
    description = tree.css_first('meta[name="description"]')
    page.description = _flat(description.attributes.get("content") or "") if description else ""
    base = tree.css_first("base[href]")
    root = urljoin(url, (base.attributes.get("href") if base else None) or url)
    for node in tree.css("a[href], [data-cfemail]"):
        _read_link(page, root, node.attributes, _flat(node.text()), rules)
    for node in tree.css("script,style,noscript,template,svg,iframe,title"):
        node.decompose()
    for node in tree.css(BLOCKS):
        node.insert_before("\n")
        node.insert_after("\n")
    page.text = _lines(tree.body.text() if tree.body else "")[: rules.page_text]
    _read_text(page, rules)
    return page


def _read_link(page: Page, root: str, attributes: dict[str, str | None], words: str, rules: SiteRules) -> None:
    if hidden := attributes.get("data-cfemail"):
        _add_email(page, _unhidden(hidden), rules)
    href = (attributes.get("href") or "").strip()
    scheme, _, rest = href.partition(":")
    if scheme.lower() == "mailto":
        _add_email(page, unquote(rest), rules)
    elif scheme.lower() in ("tel", "callto"):
        _add(page.phones, normalise_phone(unquote(rest)))
    elif scheme.lower() == "whatsapp":
        _add_whatsapp(page, href)
    else:
        _read_address(page, root, href, words, rules)


def _read_address(page: Page, root: str, href: str, words: str, rules: SiteRules) -> None:
    try:
        address = urljoin(root, href).partition("#")[0]
        parts = urlsplit(address)
        host = (parts.hostname or "").lower().removeprefix("www.").removeprefix("m.")
    except ValueError:
        return
    if parts.scheme not in ("http", "https") or not host:
        return
    if host in rules.whatsapp_hosts:
        _add_whatsapp(page, address)
        return
    for network, hosts in rules.socials.items():
        if any(host == known or host.endswith("." + known) for known in hosts):
            first = parts.path.strip("/").partition("/")[0].lower()
            if first and first.partition(".")[0] not in rules.social_noise:
                page.socials.setdefault(network, address.partition("?")[0].rstrip("/"))
            return
    if len(page.links) < rules.links:
        page.links.append((address, words))


def _read_text(page: Page, rules: SiteRules) -> None:
    spelled = page.text
    for sign in rules.at_signs:
        spelled = re.sub(rf"\s*{re.escape(sign)}\s*", "@", spelled, flags=re.IGNORECASE)
    for match in EMAIL.finditer(spelled):
        _add_email(page, match[0], rules)
    for pattern in (PHONE, TOLL_FREE):
        for match in pattern.finditer(page.text):
            if not match[0].isdigit():  # bare digits may be anything
                _add(page.phones, normalise_phone(match[0]))
    for match in CNPJ.finditer(page.text):
        _add(page.cnpjs, normalise_cnpj(match[0]))


def _add(texts: list[str], value: str | None) -> None:
    if value and value not in texts:
        texts.append(value)


def _add_email(page: Page, text: str, rules: SiteRules) -> None:
    email = normalise_email(text)
    if email and not email.endswith(rules.email_not) and email.rpartition("@")[2] not in rules.email_noise:
        _add(page.emails, email)


def _add_whatsapp(page: Page, address: str) -> None:
    parts = urlsplit(address)
    number = parse_qs(parts.query).get("phone", [parts.path.strip("/").partition("/")[0]])[0]
    digits = re.sub(r"\D", "", number)
    phone = normalise_phone(f"+{digits}") or normalise_phone(digits)
    _add(page.whatsapps, phone)
    _add(page.phones, phone)


def _unhidden(hidden: str) -> str:
    """Cloudflare hides addresses by exclusive or with their first byte."""
    try:
        raw = bytes.fromhex(hidden)
        return bytes(byte ^ raw[0] for byte in raw[1:]).decode()
    except (ValueError, IndexError):
        return ""


def _decoded(body: bytes, content_type: str) -> str:
    declared = re.search(r"charset=[\"']?\s*([A-Za-z0-9_\-]+)", content_type, re.I)
    meta = CHARSET.search(body[:4096])
    for name in (declared and declared[1], meta and meta[1].decode(), "utf-8"):
        try:
            return body.decode(name) if name else body.decode()
        except (LookupError, UnicodeDecodeError):
            continue
    return body.decode("cp1252", errors="replace")  # what old Brazilian sites are


def _flat(text: str) -> str:
    return " ".join(text.split())


def _lines(text: str) -> str:
    return "\n".join(line for raw in text.split("\n") if (line := _flat(raw)))
