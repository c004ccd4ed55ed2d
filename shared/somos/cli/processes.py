"""`somos migrate`, `worker`, `relay`: what runs beside the functions."""

import os
from pathlib import Path

import click

from somos.mesh.queues import QUEUES


@click.command()
@click.option("--people", is_flag=True, help="Cria também as pessoas da pilha local.")
@click.option("--expand", is_flag=True, help="Só o que o código de antes suporta: nada é tirado ainda.")
def migrate(people: bool, expand: bool) -> None:
    """Leva o banco ao que o código diz: tabelas, papéis, políticas de linha, gatilhos."""
    from somos.cli.settings import runtime
    from somos.migrations import Unmade, seed
    from somos.migrations import migrate as bring_up_to_date

    current = runtime("database_url", "database_owner_url")
    try:
        waiting = bring_up_to_date(
            current.settings.database_owner_url, current.settings.database_url, expand_only=expand
        )
    except Unmade as unmade:
        raise click.ClickException(str(unmade)) from None
    seed(current.settings.database_owner_url)  # whoever migrates may be where the functions' pooler is not
    if people:
        from somos.local.people import settle

        settle(current)
    click.echo(f"esperam a contração: {' '.join(waiting)}" if waiting else "banco em dia")


@click.command()
@click.argument("queues", nargs=-1, type=click.Choice(list(QUEUES)))
def worker(queues: tuple[str, ...]) -> None:
    """Entrega eventos às funções; sem filas, atende todas."""
    from somos.cli.settings import runtime
    from somos.mesh.log import configure
    from somos.mesh.worker import work

    current = runtime("database_url", "redis_url", "gateway_url")
    configure(current.settings.log_level)
    _ = current.routes, current.redis.ping()
    _announce_ready()
    work(list(queues) or None)


@click.command()
@click.option("--metrics-port", type=int, envvar="METRICS_PORT", help="Mostra as métricas da malha nesta porta.")
def relay(metrics_port: int | None) -> None:
    """A rede de segurança: toca o que está parado e faz andar os relógios."""
    import signal

    from somos.cli.settings import runtime
    from somos.mesh.log import configure
    from somos.mesh.relay import Relay

    current = runtime("database_url", "redis_url")
    configure(current.settings.log_level)
    turning = Relay(current)
    _ = current.routes, current.redis.ping()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: turning.stop())
    if metrics_port:
        from prometheus_client import CollectorRegistry, start_http_server

        from somos.mesh.metrics import MeshMetrics

        registry = CollectorRegistry()
        registry.register(MeshMetrics(current))
        start_http_server(metrics_port, registry=registry)
    _announce_ready()
    turning.run()


def _announce_ready() -> None:
    """Tell whoever keeps this process alive that it is ready, in the file that was named for it."""
    if file := os.environ.get("SOMOS_READY_FILE"):
        Path(file).write_text(str(os.getpid()))
