"""The second step: posts outside under a key."""

from sqlalchemy import text

from somos.mesh import Context, topic
from somos.mesh.queues import MESSAGES
from tests.chaos.chain.on_link_wanted import LinkForged
from tests.chaos.chain.outside import Book


@topic(LinkForged, calls=[Book], queue=MESSAGES, timeout=20, attempts=20)
def on_link_forged(event: LinkForged, ctx: Context) -> None:
    said = ctx.once("post", ctx.port(Book).post, chain=event.chain)
    with ctx.write() as db:
        db.execute(
            text("insert into mesh.chaos_links (chain, step, said) values (:chain, 2, :said)"),
            {"chain": event.chain, "said": said},
        )
