"""`scripts/bench`: every budget of the design, each against a peer in the same run."""

import sys
import time
from collections.abc import Callable

import click
from rich.console import Console

from tests.bench.chain import chain, chain_under_kills
from tests.bench.cold_start import cold_start
from tests.bench.deals import list_of_deals, one_deal
from tests.bench.grown_house import derive, memory_of_grown_house
from tests.bench.hop import hop
from tests.bench.house import at_size
from tests.bench.idle import idle
from tests.bench.memory import memory
from tests.bench.outreach import outreach
from tests.bench.realtime import realtime
from tests.bench.rows import Row, as_json, show
from tests.bench.setting import Setting
from tests.bench.stack import stack_up
from tests.bench.suite import suite
from tests.bench.units import memory_of_placement

MEASUREMENTS: dict[str, Callable[[Setting, bool], list[Row]]] = {
    "cold-start": cold_start,
    "memory": memory,
    "units": memory_of_placement,
    "grown": memory_of_grown_house,
    "derive": derive,
    "one-deal": one_deal,
    "list": list_of_deals,
    "size": at_size,
    "hop": hop,
    "chain": chain,
    "kills": chain_under_kills,
    "realtime": realtime,
    "idle": idle,
    "outreach": outreach,
    "up": stack_up,
    "suite": suite,
}


@click.command()
@click.option("--only", multiple=True, type=click.Choice(list(MEASUREMENTS)), help="Measure this; may be repeated.")
@click.option("--quick", is_flag=True, help="Fewer repetitions; figures are rougher.")
@click.option("--json", "as_list", is_flag=True, help="Print a list of figures instead of the table.")
def bench(only: tuple[str, ...], quick: bool, as_list: bool) -> None:
    """Measure, and say which budgets are met. Ends with 1 when a must is missed."""
    console = Console(stderr=as_list)
    rows: list[Row] = []
    failed = False
    setting = Setting()
    try:
        for name in only or MEASUREMENTS:
            begun = time.monotonic()
            try:
                rows += MEASUREMENTS[name](setting, quick)
            except RuntimeError as error:  # the other rows are still worth having
                failed = True
                console.print(f"{name}: {error}", style="red", highlight=False)
            console.print(f"{name:<12} {time.monotonic() - begun:5.1f} s", style="dim", highlight=False)
    finally:
        setting.close()
    if as_list:
        click.echo(as_json(rows))
    else:
        show(rows, console)
    sys.exit(1 if failed or not all(row.ok for row in rows) else 0)


bench()
