"""A timer."""

from sqlalchemy import text

from somos.mesh import Context, cron


@cron("30 10 * * *")
def every_minute(ctx: Context) -> None:
    with ctx.write() as db:
        db.execute(text("insert into mesh.toy_receipts (receipt) values ('tick')"))
