"""The house as it will be: this one, with made up modules and functions added until there are as many as asked for.

Each made up module has the rooms of a real one; two of three functions are a resource's endpoints, the third is a step
that consumes what the resource before it states. A function and its rooms weigh about as many lines as the real ones.
"""

import shutil
from itertools import cycle
from pathlib import Path
from string import Template

from somos.policy.matrix import MODULES
from somos.settings import ROOT

FIELDS = 10
COPIED = ("functions", "shared", "infra/placement.toml", "infra/requirements", "infra/openfaas/stack.schema.json")

TABLES = Template('''"""What $name are stored as."""

from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from somos.mesh.tables import Table, Versioned
from somos.policy.scopes import Everyone


class $row(Table, Versioned):
    """One of the $name."""

    __tablename__ = "$name"
    __table_args__ = (
        CheckConstraint("state in ('open', 'held', 'closed')", name="state"),
        Index(None, "owner_id", "state"),
        {"schema": "$module"},
    )
    __scope__ = Everyone()

    owner_id: Mapped[UUID | None]
    state: Mapped[str]
$columns
''')
SCHEMAS = Template('''"""What people send and get of $name."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, Model, Patch, Record
from somos.modules.$module.tables.$name import $row

Short = Annotated[str, Field(min_length=1, max_length=80)]
State = Literal["open", "held", "closed"]


class ${row}Filter(Filter):
    table = $row
    sort: Literal["id", "-id"] = "-id"
    state: State | None = None


class ${row}Fields(Model):
$fields


class ${row}Draft(${row}Fields, Body):
    owner_id: UUID | None = None


class ${row}Patch(${row}Fields, Patch):
    state: State


class ${row}View(${row}Fields, Record):
    owner_id: UUID | None
    state: State
''')
RULES = Template('''"""What is decided of $name."""

MOVES = {"open": {"held", "closed"}, "held": {"open", "closed"}, "closed": set()}


def may_move(before: str, after: str) -> bool:
    """Whether one may go from one state to another."""
    return after == before or after in MOVES[before]


def total(*amounts: int) -> int:
    """The sum in cents of what is not negative."""
    return sum(amount for amount in amounts if amount > 0)


def title(*words: str) -> str:
    """The words as a sentence."""
    said = " ".join(word.strip() for word in words if word.strip())
    return said[:1].upper() + said[1:]
''')
QUERIES = Template('''"""What others may ask of $name."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from somos.modules.$module.tables.$name import $row


def open_of(db: Session, owner: UUID) -> int:
    """How many are open of this person's."""
    mine = select(func.count()).select_from($row).where($row.owner_id == owner, $row.state == "open")
    return db.scalar(mine) or 0


def newest(db: Session, state: str) -> $row | None:
    """The last one in this state."""
    return db.scalars(select($row).where($row.state == state).order_by($row.id.desc()).limit(1)).first()


def states(db: Session) -> dict[str, int]:
    """How many are in each state."""
    counted = select($row.state, func.count()).group_by($row.state)
    return {state: count for state, count in db.execute(counted).all()}
''')
ACTIONS = Template('''"""Changing $name."""

from typing import Any

from somos.mesh import Conflict, Context
from somos.modules.$module.queries.$name import newest, open_of
from somos.modules.$module.rules.$name import may_move, title, total
from somos.modules.$module.tables.$name import $row
$event_import

def move(ctx: Context, row: $row, after: str) -> None:
    """Raises Conflict when it may not go there."""
    if not may_move(row.state, after):
        raise Conflict("Daqui não se vai para lá", code="bad-move")
    ctx.change(row, state=after, text_0=title(row.text_0, after), amount_1=total(row.amount_1, 1))$emit


def limit(ctx: Context, row: $row) -> None:
    """Raises Conflict when its owner has too many open."""
    if row.owner_id and open_of(ctx.db, row.owner_id) > 100:
        raise Conflict("Há muitos em aberto", code="too-many-open")
    before: Any = newest(ctx.db, "held")
    if before is not None and before.owner_id == row.owner_id:
        ctx.change(before, state="closed")
''')
EVENT = Template('''

class ${row}Moved(Event):
    """One of the $name is in another state."""

    row_id: UUID
    state: str
''')
EVENTS = '''"""What this module states."""

from uuid import UUID

from somos.mesh.events import Event
'''
ENDPOINTS = Template('''"""The $name of $module."""

from uuid import UUID

from somos.mesh import Context, Page, http
from somos.modules.$module.actions.$name import limit, move
from somos.modules.$module.schemas.$name import ${row}Draft, ${row}Filter, ${row}Patch, ${row}View
from somos.modules.$module.tables.$name import $row


@http.get("/api/v1/$path", allow="$module:read")
def ${name}_list(filter: ${row}Filter, ctx: Context) -> Page[${row}View]:
    """The $name that one may see."""
    return ctx.page(ctx.visible($row).where(*filter.clauses()), ${row}View)


@http.get("/api/v1/$path/{id}", allow="$module:read")
def ${name}_get(id: UUID, ctx: Context) -> ${row}View:
    return ctx.show(ctx.get($row, id), ${row}View)


@http.post("/api/v1/$path", allow="$module:write")
def ${name}_create(draft: ${row}Draft, ctx: Context) -> ${row}View:
    row = ctx.create($row, draft, state="open")
    limit(ctx, row)
    return ctx.show(row, ${row}View)


@http.patch("/api/v1/$path/{id}", allow="$module:write")
def ${name}_patch(id: UUID, patch: ${row}Patch, ctx: Context) -> ${row}View:
    row = ctx.get($row, id, lock=True)
    if patch.state is not None:
        move(ctx, row, patch.state)
    return ctx.show(ctx.change(row, patch), ${row}View)
''')
STEP = Template('''"""One of the $name moved: what was open of the same owner is looked at."""

from somos.events.$module import ${row}Moved
from somos.mesh import Context, topic
from somos.modules.$module.actions.$name import limit
from somos.modules.$module.tables.$name import $row


@topic(${row}Moved, timeout=60)
def on_${name}_moved(event: ${row}Moved, ctx: Context) -> None:
    """Once for each."""
    with ctx.write() as db:
        row = db.get($row, event.row_id)
        if row is not None:
            limit(ctx, row)
''')


def grow(root: Path, functions: int, modules: int) -> Path:
    """A project in `root` with as many functions and modules; what it takes is copied from this one."""
    for name in COPIED:
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    there = [file for file in (root / "functions").glob("*/*.py") if file.name != "__init__.py"]
    real = {file.parent.name for file in there}
    new = [module for module in MODULES if module not in real][: modules - len(real)]
    for number, module in zip(range(functions - len(there)), cycle(new), strict=False):
        _add(root, module, number // len(new))
    return root


def _add(root: Path, module: str, number: int) -> None:
    """The next function of a module: two resources, then a step that consumes what the second then states."""
    group, kind = divmod(number, 3)
    words = _words(module, group, min(kind, 1))
    rooms = {"tables": TABLES, "schemas": SCHEMAS, "rules": RULES, "queries": QUERIES, "actions": ACTIONS}
    if kind == 2:
        rooms = {"actions": ACTIONS}
        words["event_import"] = f"from somos.events.{module} import {words['row']}Moved\n"
        words["emit"] = f"\n    ctx.emit({words['row']}Moved(row_id=row.id, state=after))"
        events = root / "shared" / "somos" / "events" / f"{module}.py"
        before = events.read_text() if events.exists() else EVENTS
        events.write_text(before + EVENT.substitute(words))
        _write(root / "functions" / module / f"on_{words['name']}_moved.py", STEP, words)
    else:
        _write(root / "functions" / module / f"{words['name']}.py", ENDPOINTS, words)
    for room, template in rooms.items():
        _write(root / "shared" / "somos" / "modules" / module / room / f"{words['name']}.py", template, words)


def _words(module: str, group: int, kind: int) -> dict[str, str]:
    """What the templates are filled with; nothing is stated yet."""
    name = f"things_{group}_{kind}"
    numbered = [("text" if number % 2 == 0 else "amount", number) for number in range(FIELDS)]
    kinds = {"text": ("str", 'Short = ""'), "amount": ("int", "Annotated[int, Field(ge=0, le=10**9)] = 0")}
    return {
        "module": module,
        "name": name,
        "row": f"{module.capitalize()}Thing{group}{'ab'[kind]}",
        "path": f"{module}-{name.replace('_', '-')}",
        "columns": "\n".join(f"    {kind}_{number}: Mapped[{kinds[kind][0]}]" for kind, number in numbered),
        "fields": "\n".join(f"    {kind}_{number}: {kinds[kind][1]}" for kind, number in numbered),
        "event_import": "",
        "emit": "",
    }


def _write(file: Path, template: Template, words: dict[str, str]) -> None:
    for folder in (file.parent, *file.parent.parents):
        if folder.name in ("functions", "modules"):
            break
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    file.write_text(template.substitute(words))
