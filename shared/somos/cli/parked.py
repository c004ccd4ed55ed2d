"""`somos parked`: outside calls whose outcome nobody knows, seen, and settled when no row of ours settles them."""

from uuid import UUID

import click


@click.group()
def parked() -> None:
    """Chamadas de desfecho desconhecido: ver e dar por resolvidas."""


@parked.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000))
def list_(limit: int) -> None:
    """As mais antigas primeiro. O que é de uma mensagem se decide na mensagem."""
    from sqlalchemy import text

    from somos.cli.screen import console, table
    from somos.cli.settings import runtime
    from somos.mesh.clock import SAO_PAULO
    from somos.mesh.database import atomically

    with atomically(runtime("database_url").engine) as connection:
        rows = connection.execute(
            text(
                "select delivery_id, name, operation, about, started_at from mesh.effects "
                "where state = 'parked' order by started_at limit :most"
            ),
            {"most": limit},
        ).all()
    grid = table("entrega", "chamada", "operação", "sobre", "começou em")
    for row in rows:
        began = f"{row.started_at.astimezone(SAO_PAULO):%d/%m %H:%M}"
        grid.add_row(str(row.delivery_id), row.name, row.operation, str(row.about or ""), began)
    if rows:
        console().print(grid)
    else:
        click.echo("nenhuma chamada estacionada")


@parked.command()
@click.argument("delivery", type=click.UUID)
@click.argument("name")
def settle(delivery: UUID, name: str) -> None:
    """Alguém conferiu lá fora: ninguém mais espera por esta chamada, e o que ela dizia é apagado."""
    from somos.cli.settings import runtime
    from somos.mesh import clock
    from somos.mesh.database import atomically
    from somos.mesh.journal import settle_call

    with atomically(runtime("database_url").engine) as connection:
        settled = settle_call(connection, delivery, name, clock.now())
    if not settled:
        raise click.ClickException(f"não há chamada {name} estacionada na entrega {delivery}")
    click.echo("resolvida")
