"""The domain by which a company is recognised in an address of the web. Pure."""

import re
from urllib.parse import urlsplit

# A page on these says nothing of who owns it: networks, marketplaces, directories, link pages, free mail.
SHARED_HOSTS = frozenset({
    "instagram.com", "facebook.com", "fb.com", "fb.me", "messenger.com", "linkedin.com", "lnkd.in",
    "twitter.com", "x.com", "t.co", "tiktok.com", "youtube.com", "youtu.be", "vimeo.com", "pinterest.com",
    "pinterest.com.br", "behance.net", "dribbble.com", "threads.net", "telegram.org", "t.me",
    "whatsapp.com", "wa.me", "linktr.ee", "linktree.com", "beacons.ai", "bio.link", "bit.ly", "goo.gl",
    "forms.gle", "g.page", "google.com", "google.com.br", "goo.gle", "apple.com", "bing.com", "waze.com",
    "reddit.com", "medium.com", "wikipedia.org", "quora.com", "mercadolivre.com.br", "mercadolibre.com",
    "olx.com.br", "shopee.com.br", "amazon.com", "amazon.com.br", "magazineluiza.com.br",
    "americanas.com.br", "elo7.com.br", "enjoei.com.br", "ifood.com.br", "reclameaqui.com.br",
    "glassdoor.com", "glassdoor.com.br", "indeed.com", "br.indeed.com", "vagas.com.br", "catho.com.br",
    "infojobs.com.br", "gupy.io", "yelp.com", "yelp.com.br", "tripadvisor.com", "tripadvisor.com.br",
    "foursquare.com", "guiamais.com.br", "telelistas.net", "apontador.com.br", "solutudo.com.br",
    "econodata.com.br", "cnpj.biz", "cnpja.com", "casadosdados.com.br", "cnpj.info", "empresascnpj.com",
    "consultasocio.com", "jusbrasil.com.br", "crunchbase.com", "clutch.co", "sortlist.com", "workana.com",
    "99freelas.com.br", "getninjas.com.br", "gmail.com", "googlemail.com", "hotmail.com", "hotmail.com.br",
    "outlook.com", "outlook.com.br", "live.com", "msn.com", "yahoo.com", "yahoo.com.br", "ymail.com",
    "icloud.com", "me.com", "aol.com", "uol.com.br", "bol.com.br", "terra.com.br", "ig.com.br", "globo.com",
    "globomail.com", "r7.com", "zipmail.com.br", "proton.me", "protonmail.com", "gmx.com", "zoho.com",
})  # fmt: skip
# On these the subdomain is the company's own.
SITE_BUILDERS = (
    "wixsite.com", "blogspot.com", "blogspot.com.br", "wordpress.com", "webflow.io", "negocio.site",
    "business.site", "github.io", "netlify.app", "vercel.app", "squarespace.com", "weebly.com", "canva.site",
    "myshopify.com", "lojaintegrada.com.br", "tumblr.com", "carrd.co", "notion.site", "framer.website",
)  # fmt: skip
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")


def domain_of(url: str | None) -> str | None:
    """The company's own domain in a URL, a host or an e-mail address; None when it belongs to somebody else.

    `www` is dropped, other subdomains are kept: joining two companies is worse than missing a twin.
    """
    if not url or len(url) > 2048:
        return None
    text = url.strip().lower()
    if "://" not in text:
        text = f"//{text.rpartition('@')[2] if '@' in text.split('/', 1)[0] else text.removeprefix('//')}"
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("", "http", "https"):
        return None
    host = ascii_host((host or "").rstrip("."))
    if not host:
        return None
    host = re.sub(r"^www\d?\.(?=[^.]+\.)", "", host)
    if len(host) > 253 or not _HOST.fullmatch(host) or host in SITE_BUILDERS or _is_shared(host):
        return None
    return host


def _is_shared(host: str) -> bool:
    if host.endswith(tuple(f".{builder}" for builder in SITE_BUILDERS)):
        return False
    labels = host.split(".")
    return any(".".join(labels[i:]) in SHARED_HOSTS for i in range(len(labels) - 1))


def ascii_host(host: str) -> str | None:
    """The host as DNS asks for it, or None when it cannot be one."""
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
