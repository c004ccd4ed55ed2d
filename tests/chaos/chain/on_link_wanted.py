"""The first step: stamps outside, once, and says whether it knows."""

from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import text

from somos.mesh import Context, Event, Parked, topic
from tests.chaos.chain.outside import Book


class LinkWanted(Event):
    """A chain is to be forged."""

    chain: int


class LinkForged(Event):
    """Its first link is there."""

    chain: int


@topic(LinkWanted, calls=[Book], timeout=20, attempts=20)
def on_link_wanted(event: LinkWanted, ctx: Context) -> None:
    try:
        said = ctx.once("stamp", ctx.port(Book).stamp, about=uuid5(NAMESPACE_OID, str(event.chain)), chain=event.chain)
    except Parked:
        said = "parked"
    with ctx.write() as db:
        db.execute(
            text("insert into mesh.chaos_links (chain, step, said) values (:chain, 1, :said)"),
            {"chain": event.chain, "said": said},
        )
        ctx.emit(LinkForged(chain=event.chain))
