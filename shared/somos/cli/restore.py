"""`somos restored`: what a database that came from a backup needs before anything of it runs."""

from datetime import datetime
from typing import Any

import click


@click.command()
@click.option(
    "--taken-at", required=True, type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="Quando o backup começou."
)
def restored(taken_at: datetime) -> None:
    """Confere a auditoria e retém o que sairia de novo; rode antes de ligar qualquer função."""
    from somos.cli.settings import runtime
    from somos.mesh import clock, restore
    from somos.mesh.loader import load

    current = runtime("database_url")
    functions = load().values()
    with current.engine.begin() as connection:
        broken = restore.broken_audit(connection)
        if broken is not None:
            raise click.ClickException(f"a cadeia de auditoria não confere na linha {broken}: este backup foi alterado")
        waiting = restore.hold(connection, functions, current.routes, clock.now())
        lines = after_restore(connection, taken_at, clock.now())
    click.echo("a cadeia de auditoria confere")
    click.echo(
        f"{waiting.deliveries} entregas retidas (somos dead list), {waiting.effects} chamadas sem resposta estacionadas"
    )
    for line in lines:
        click.echo(line)


def after_restore(connection: Any, taken_at: datetime, now: datetime) -> list[str]:
    """Ask each module (`actions.after_restore`), in one transaction; what each has to say to a person."""
    from importlib import import_module

    from somos.mesh.database import Acting, transaction
    from somos.migrations import MODULES
    from somos.policy.principals import SYSTEM

    notes: list[str] = []
    with transaction(connection, Acting(SYSTEM, "restored")) as db:
        for file in sorted(MODULES.glob("*/actions/after_restore.py")):
            name = ".".join(file.relative_to(MODULES).with_suffix("").parts)
            notes += import_module(f"somos.modules.{name}").after_restore(db, taken_at, now)
    return notes
