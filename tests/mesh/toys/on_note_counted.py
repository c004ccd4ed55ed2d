"""Hears the end of the chain."""

from sqlalchemy import text

from somos.mesh import Context, topic
from somos.mesh.queues import MESSAGES
from tests.mesh.toys.on_note_written import NoteCounted


@topic(NoteCounted, queue=MESSAGES)
def on_note_counted(event: NoteCounted, ctx: Context) -> None:
    with ctx.write() as db:
        db.execute(text("insert into mesh.toy_receipts (receipt) values (:receipt)"), {"receipt": event.receipt})
