"""Reading a company's own site."""

from typing import Protocol

from pydantic import Field

from somos.mesh.effects import operation
from somos.ports.port import Port, Value


class PageText(Value):
    """The visible text of one page, so that a quote has an address."""

    url: str
    title: str = ""
    text: str = ""


class SitePage(Value):
    """What a company's site says: its start page and the few pages that tell who it is.

    Everything is data from outside. `found_on` gives, for each e-mail, phone, social link and CNPJ, the page
    it stands on. With a status of 400 or more there is nothing else.
    """

    url: str
    status: int
    title: str = ""
    description: str = ""
    text: str = ""
    html_links: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    whatsapps: tuple[str, ...] = ()
    socials: dict[str, str] = Field(default_factory=dict)
    cnpjs: tuple[str, ...] = ()
    pages: tuple[PageText, ...] = ()
    found_on: dict[str, str] = Field(default_factory=dict)


class Sites(Port, Protocol):
    @operation(unknown="retry")
    def fetch(self, url: str) -> SitePage:
        """Read a company's site, never leaving its own domain and never reaching a private network."""
        ...
