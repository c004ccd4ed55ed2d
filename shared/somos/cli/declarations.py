"""`somos functions`, `where`, `derive`: what the declarations in functions/ say."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from somos.settings import ROOT

if TYPE_CHECKING:
    from somos.mesh.derive import Derived


def derived() -> "Derived":
    """Everything that follows from the declarations, in memory."""
    from somos.cli.needs import needs_of
    from somos.mesh import derive as mesh_derive
    from somos.mesh.loader import load

    return mesh_derive.derive(load().values(), mesh_derive.known_events(), needs_of)


@contextmanager
def _nothing_freed() -> Iterator[None]:
    """All that is derived is kept to the end: looking for what could be freed takes a third of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@click.command()
@click.option("--check", is_flag=True, help="Só confere: falha se um arquivo versionado não corresponde.")
@click.option("--built", is_flag=True, help="Só o que não se versiona, e só se algo mudou desde a última vez.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="Escreve tudo nesta pasta.")
def derive(check: bool, built: bool, folder: Path | None) -> None:
    """Escreve o que se versiona (stack.yml, mapa, permissões) e o que as máquinas leem (OpenAPI, rotas, Knative…)."""
    from somos.cli.build_state import is_current, note

    if built and is_current():
        return
    from somos.mesh.derive import write

    click.get_current_context().with_resource(_nothing_freed())
    result = derived()
    faults = result.faults or (result.drift() if check else [])
    for fault in faults:
        click.echo(str(fault), err=True)
    if faults:
        sys.exit(1)
    for warning in result.warnings:
        click.echo(f"aviso: {warning}", err=True)
    if check:
        click.echo(f"{len(result.committed)} arquivos derivados em dia")
        return
    changed = write(result.built if built else result.files, folder or ROOT)
    if folder is None:
        note(result.built)
    for name in changed or ["nada mudou"]:
        click.echo(name)


@click.command()
@click.argument("what")
def where(what: str) -> None:
    """Mostra o arquivo e a linha de uma rota, evento, tabela ou função."""
    from somos.mesh.derive import known_events
    from somos.mesh.derive.where import where as find
    from somos.mesh.loader import load
    from somos.migrations import load_tables

    functions = load().values()
    load_tables()
    hits = find(what, functions, known_events())
    for hit in hits:
        click.echo(str(hit))
    if not hits:
        raise click.ClickException(f"nada se chama {what!r}; veja: somos functions")


@click.command()
@click.argument("module", required=False)
def functions(module: str | None) -> None:
    """Lista as funções, o que as acorda e o que emitem."""
    from somos.cli.screen import console, table
    from somos.mesh.derive.emitted import types_emitted_by
    from somos.mesh.loader import load

    rows = table("função", "acorda com", "emite")
    for name, function in sorted(load().items()):
        if module in (None, function.module):
            wakes = [f"{e.method} {e.path}" for e in function.endpoints]
            wakes += [f"POST {w.path}" for w in function.webhooks]
            wakes += [t.type for t in function.topics] + [t.schedule for t in function.timers]
            rows.add_row(name, "\n".join(wakes), "\n".join(types_emitted_by(function)))
    console().print(rows)
