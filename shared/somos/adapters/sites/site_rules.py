"""What to look for on company sites, as data: another country or a new network is a line here."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SiteRules:
    """Limits and patterns of reading one site."""

    # How much is read.
    pages: int = 5
    page_bytes: int = 1_500_000
    page_text: int = 20_000
    seconds: float = 25.0
    redirects: int = 5
    links: int = 200
    media_types: tuple[str, ...] = ("text/html", "application/xhtml+xml")

    # Pages that say who a company is, the most telling first; matched in a link's path and words.
    telling: tuple[str, ...] = (
        "contato", "contact", "fale-conosco", "fale conosco", "sobre", "quem-somos", "quem somos", "about",
        "a-empresa", "institucional", "equipe", "time", "team", "clientes", "cases", "portfolio", "servicos",
        "serviços", "services",
    )  # fmt: skip

    # Social networks by the host of the link; the path must name somebody.
    socials: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "instagram": ("instagram.com",),
            "facebook": ("facebook.com", "fb.com"),
            "linkedin": ("linkedin.com",),
            "youtube": ("youtube.com",),
            "tiktok": ("tiktok.com",),
            "x": ("x.com", "twitter.com"),
            "vimeo": ("vimeo.com",),
            "behance": ("behance.net",),
        }
    )
    social_noise: tuple[str, ...] = ("sharer", "share", "intent", "embed", "watch", "hashtag", "p", "reel", "plugins")
    whatsapp_hosts: tuple[str, ...] = ("wa.me", "api.whatsapp.com", "web.whatsapp.com", "whatsapp.com")

    # Addresses that stand on sites without being anybody's.
    email_noise: tuple[str, ...] = (
        "example.com", "exemplo.com", "exemplo.com.br", "email.com", "seudominio.com.br", "seusite.com.br",
        "dominio.com.br", "domain.com", "sentry.io", "sentry-next.wixpress.com", "wixpress.com", "godaddy.com",
    )  # fmt: skip
    email_not: tuple[str, ...] = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".css", ".js")
    # How people write @ so that machines do not see it.
    at_signs: tuple[str, ...] = ("[at]", "(at)", "[arroba]", "(arroba)", " arroba ")
