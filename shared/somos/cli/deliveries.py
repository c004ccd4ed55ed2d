"""`somos dead`: deliveries that failed for good, seen and tried again."""

from typing import Any
from uuid import UUID

import click


@click.group()
def dead() -> None:
    """Entregas que falharam de vez: ver e tentar de novo."""


@dead.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def list_(limit: int) -> None:
    """As mais recentes primeiro."""
    from somos.cli.screen import console, table
    from somos.mesh.clock import SAO_PAULO

    rows = _ask(
        "select id, type, function, dead_at, last_error from mesh.deliveries "
        "where state = 'dead' order by dead_at desc limit :most",
        most=limit,
    )
    grid = table("id", "evento", "função", "morreu em", "motivo")
    for row in rows:
        reason = (row["last_error"] or "").splitlines() or [""]
        died = f"{row['dead_at'].astimezone(SAO_PAULO):%d/%m %H:%M}"
        grid.add_row(str(row["id"]), row["type"], row["function"], died, reason[0][:80])
    if rows:
        console().print(grid)
    else:
        click.echo("nenhuma entrega morta")


@dead.command()
@click.argument("id", type=click.UUID)
def show(id: UUID) -> None:
    """Tudo sobre uma entrega: o evento, a causa e o último erro."""
    from rich.text import Text

    from somos.cli.screen import console, table

    rows = _ask(
        "select d.*, o.data, o.occurred_at, o.correlation, o.causation, o.actor_id, o.emitted_by "
        "from mesh.deliveries d join mesh.outbox o on o.id = d.event_id where d.id = :id",
        id=id,
    )
    if not rows:
        raise click.ClickException(f"não há entrega {id}")
    shown = table("campo", "valor")
    for name, value in rows[0].items():
        shown.add_row(name, Text(str(value)))
    console().print(shown)


@dead.command()
@click.argument("ids", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="Todas as mortas.")
def replay(ids: tuple[UUID, ...], everything: bool) -> None:
    """Tenta de novo, desde a primeira tentativa."""
    from somos.cli.settings import runtime
    from somos.mesh import outbox

    if everything:
        ids = tuple(row["id"] for row in _ask("select id from mesh.deliveries where state = 'dead'"))
    current = runtime("database_url")
    again = [id for id in ids if outbox.replay(current.engine, id)]
    current.notifier.wake(outbox.due_queues(current.engine))
    click.echo(f"{len(again)} de {len(ids)} voltaram para a fila")
    if len(again) < len(ids):
        raise SystemExit(1)


def _ask(question: str, **values: Any) -> list[dict[str, Any]]:
    from sqlalchemy import text

    from somos.cli.settings import runtime
    from somos.mesh.database import atomically

    with atomically(runtime("database_url").engine) as connection:
        return [dict(row) for row in connection.execute(text(question), values).mappings()]
