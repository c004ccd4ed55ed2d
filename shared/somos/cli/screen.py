"""Tables for people: as wide as their terminal, and never cut where nobody looks on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def console() -> "Console":
    from rich.console import Console

    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=240)


def table(*columns: str) -> "Table":
    """The first column names the row, so it is never folded."""
    from rich.table import Table

    grid = Table(box=None, header_style="bold", pad_edge=False)
    for number, name in enumerate(columns):
        grid.add_column(name, no_wrap=number == 0, overflow="fold")
    return grid
