"""`somos up`, `down`, `status`, `demo`: the local stack as a whole."""

import sys

import click


@click.command()
@click.option("--story", is_flag=True, help="Conta a história da prospecção depois de subir.")
@click.option("--once", is_flag=True, help="Conta a história e encerra com o resultado dela.")
@click.option("--port", type=click.IntRange(0, 65535), help="Porta do gateway (8080); 0 escolhe portas livres.")
@click.option("--any-port", is_flag=True, help="Escolhe portas livres para todas as partes.")
@click.option(
    "--grain",
    type=click.Choice(["function", "module", "all"]),
    envvar="SOMOS_GRAIN",
    default="all",
    show_default=True,
    help="Quem divide um processo: ninguém, cada módulo, ou todos.",
)
def up(story: bool, once: bool, port: int | None, any_port: bool, grain: str) -> None:
    """Sobe a pilha local e fica no ar até Ctrl-C."""
    from somos.local.up import Refused, Wishes
    from somos.local.up import up as start

    wishes = Wishes(port=port, any_port=any_port, story=story or once, once=once, grain=grain)
    try:
        sys.exit(start(wishes, click.echo))
    except Refused as refused:
        for line in str(refused).splitlines():
            click.echo(f"erro: {line}", err=True)
        sys.exit(1)


@click.command()
def down() -> None:
    """Encerra a pilha que está no ar nesta pasta."""
    import signal

    from somos.local.environment import FOLDER
    from somos.local.processes import wait_for
    from somos.local.state import State

    state = State.read(FOLDER)
    if state is None:
        click.echo("nada no ar nesta pasta")
        return
    state.process.send(signal.SIGTERM)
    if not wait_for(lambda: not state.process.alive(), 60):
        raise click.ClickException(f"o supervisor (pid {state.pid}) não encerrou em 60 s")
    click.echo("encerrado")


@click.command()
def status() -> None:
    """Mostra as partes da pilha local e onde estão."""
    from somos.cli.screen import console, table
    from somos.local.environment import FOLDER
    from somos.local.state import State

    state = State.read(FOLDER)
    if state is None:
        click.echo("nada no ar nesta pasta; para subir: somos up")
        sys.exit(1)
    rows = table("parte", "estado", "pid", "endereço", "quedas")
    for name, part in state.parts.items():
        rows.add_row(name, *(str(part[key] or "") for key in ("state", "pid", "address", "deaths")))
    console().print(rows)


@click.command()
def demo() -> None:
    """Conta a história: do perfil de cliente ideal a um negócio aberto."""
    from somos.cli.settings import reach_stack

    reach_stack()
    from somos.local.story import tell

    sys.exit(tell())
