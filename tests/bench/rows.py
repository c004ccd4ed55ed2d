"""One row of the table: a figure of ours, the peer's, and what it must and should be."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table

Side = Literal["at most", "at least"]


@dataclass(frozen=True)
class Budget:
    """What design section 9 asks: of the ratio ours/peer, or of our own figure. Without a must it is only hoped."""

    must: float | None
    aim: float
    side: Side = "at most"
    of: Literal["ratio", "ours"] = "ours"

    def met(self, limit: float, figure: float) -> bool:
        return figure <= limit if self.side == "at most" else figure >= limit

    def shown(self, limit: float | None, unit: str) -> str:
        if limit is None:
            return ""
        sign = "≤" if self.side == "at most" else "≥"
        return f"{sign} {_number(limit)}{' x' if self.of == 'ratio' else f' {unit}'}"


@dataclass(frozen=True)
class Row:
    """One figure. Without a budget it only informs."""

    name: str
    ours: float
    peer: float | None
    unit: str
    budget: Budget | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.ours / self.peer if self.peer else None

    def meets(self, limit: float) -> bool:
        assert self.budget is not None
        figure = self.ratio if self.budget.of == "ratio" else self.ours
        return figure is not None and self.budget.met(limit, figure)

    @property
    def ok(self) -> bool:
        return self.budget is None or self.budget.must is None or self.meets(self.budget.must)

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "ours": round(self.ours, 3),
            "peer": None if self.peer is None else round(self.peer, 3),
            "unit": self.unit,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "must": self.budget.must if self.budget else None,
            "aim": self.budget.aim if self.budget else None,
            "ok": self.ok,
        }


def as_json(rows: Iterable[Row]) -> str:
    return json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=2)


def show(rows: Iterable[Row], console: Console) -> None:
    """The table, and under it what the figures do not say."""
    table = Table(title="Somos · scripts/bench", title_justify="left")
    for heading, justify in (
        ("", "left"), ("ours", "right"), ("peer", "right"), ("unit", "left"), ("ours/peer", "right"),
        ("must", "right"), ("aim", "right"), ("", "left"),
    ):  # fmt: skip
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    notes = []
    for row in rows:
        budget = row.budget
        table.add_row(
            row.name,
            _number(row.ours),
            "" if row.peer is None else _number(row.peer),
            row.unit,
            "" if row.ratio is None else f"{row.ratio:.2f} x",
            budget.shown(budget.must, row.unit) if budget else "",
            budget.shown(budget.aim, row.unit) if budget else "",
            _verdict(row),
        )
        if row.note:
            notes.append(f"{row.name}: {row.note}")
    console.print(table)
    for note in notes:
        console.print(f"  {note}", style="dim", highlight=False)


def _verdict(row: Row) -> str:
    if row.budget is None:
        return ""
    if not row.ok:
        return "[red]misses the must[/red]"
    if row.meets(row.budget.aim):
        return "[green]aim[/green]"
    return "" if row.budget.must is None else "[yellow]must[/yellow]"


def _number(figure: float) -> str:
    return f"{figure:.0f}" if abs(figure) >= 100 else f"{figure:.2f}".rstrip("0").rstrip(".")
