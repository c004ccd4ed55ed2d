"""The `somos` command. Each command imports what it needs only when it runs, so `somos --help` is quick."""

import click

from somos.cli import calls, declarations, deliveries, parked, people, processes, restore, stack


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Somos: a malha de funções da produtora."""


for _command in (
    stack.up,
    stack.down,
    stack.status,
    stack.demo,
    calls.call,
    declarations.functions,
    declarations.where,
    declarations.derive,
    processes.migrate,
    people.person,
    processes.worker,
    processes.relay,
    deliveries.dead,
    parked.parked,
    restore.restored,
):
    main.add_command(_command)
