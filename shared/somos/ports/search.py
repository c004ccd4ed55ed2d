"""Searching the web and the map for companies."""

from typing import Literal, Protocol

from somos.mesh.effects import operation
from somos.ports.port import Port, Value


class SearchResult(Value):
    """One result. Texts are as the source shows them: data from outside, not yet normalised."""

    title: str
    url: str | None = None
    snippet: str | None = None
    phone: str | None = None
    address: str | None = None
    city: str | None = None
    uf: str | None = None
    source: Literal["web", "maps"]
    external_id: str
    position: int


class SearchPage(Value):
    """One page of results. `credits` is what it cost; `near` continues a map search at the same place."""

    results: tuple[SearchResult, ...] = ()
    next_page: int | None = None
    credits: int = 1
    near: str | None = None


class Search(Port, Protocol):
    @operation(unknown="retry")
    def web(self, query: str, page: int = 1, location: str | None = None) -> SearchPage:
        """The `page`-th page (from 1) of a web search in Brazil."""
        ...

    @operation(unknown="retry")
    def maps(self, query: str, page: int = 1, near: str | None = None) -> SearchPage:
        """The `page`-th page of places. From page 2 on give the `near` of page 1, or it is looked up."""
        ...
