"""What a change costs: four changes as a newcomer makes them, in a copy of this tree, and the files that each touches.

`changes/<change>/` holds what each writes anew, at the paths where it goes. `{revision}` and `{follows}` are the next
revision of the module's branch and the one before it.
"""

import ast
import difflib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from somos.migrations import HERE, locations
from somos.settings import ROOT

WRITTEN = Path(__file__).parent / "changes"
REVIEWED = {"stack.yml", "gateway/map.md", "gateway/permissions.md", "infra/placement.md"}
MATRIX = "shared/somos/policy/matrix.py"
TAGS = {
    "table": "shared/somos/modules/crm/tables/tags.py",
    "schema": "shared/somos/modules/crm/schemas/tags.py",
    "function": "functions/crm/tags.py",
}
# What the tables of the code have and this database has not.
MISSING = """
import json, sys
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from somos.mesh.database import engine_for
from somos.mesh.tables import Root
from somos.migrations import load_tables
load_tables()
schemas = {table.schema for table in Root.metadata.tables.values()}
with engine_for(sys.argv[1], pool_size=1).connect() as connection:
    options = {"include_schemas": True, "include_name": lambda name, kind, _: kind != "schema" or name in schemas}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), Root.metadata)
print(json.dumps([[one[0], str(one[-1])] for one in found if str(one[0]).startswith("add")]))
"""


@dataclass
class Tree:
    """A copy of what is versioned. A file is changed in it and nowhere else."""

    root: Path
    before: dict[str, bytes]

    def write(self, change: str) -> None:
        """The change's new files."""
        for file in sorted((WRITTEN / change).rglob("*.txt")):
            name = str(file.relative_to(WRITTEN / change)).removesuffix(".txt")
            text = file.read_text()
            if "/versions/" in name:
                revision, follows = next_revision(Path(name).parent.name)
                name = str(Path(name).with_name(f"{revision}_{change}.py"))
                text = text.replace("{revision}", revision).replace("{follows}", follows)
            assert name not in self.before, f"{name} exists; a new file of the change {change!r} needs another name"
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def insert(self, name: str, after: int, line: str) -> None:
        """A line, after that one (its number begins with 1)."""
        lines = (self.root / name).read_text().splitlines()
        lines.insert(after, line)
        (self.root / name).write_text("\n".join(lines) + "\n")

    def append(self, name: str, text: str) -> None:
        path = self.root / name
        path.write_text(path.read_text() + text)

    def replace(self, name: str, before: str, after: str) -> None:
        path = self.root / name
        assert before in path.read_text(), f"{name} has no {before!r}"
        path.write_text(path.read_text().replace(before, after, 1))

    def end_of(self, name: str, *path: str) -> int:
        """The last line of a class or function, or of an assignment to a name."""
        node: Any = ast.parse((self.root / name).read_text())
        for part in path:
            node = next(one for one in node.body if part in names_of(one))
        return int(node.end_lineno)

    def changed(self) -> set[str]:
        """Every file that is not as it is in the original, but what git ignores."""
        after = {str(file.relative_to(self.root)): file for file in self.root.rglob("*") if file.is_file()}
        differing = {name for name, file in after.items() if self.before.get(name) != file.read_bytes()}
        differing |= self.before.keys() - after.keys()
        command = ["git", "check-ignore", "--no-index", "--stdin"]
        ignored = subprocess.run(command, cwd=ROOT, input="\n".join(differing), capture_output=True, text=True)
        return differing - set(ignored.stdout.splitlines())

    def by_hand(self) -> set[str]:
        return self.changed() - REVIEWED

    def derived_lines(self) -> int:
        """Lines of reviewed derived files that were added or taken away."""
        return sum(self._lines(name) for name in self.changed() & REVIEWED)

    def _lines(self, name: str) -> int:
        before, after = self.before[name].decode().splitlines(), (self.root / name).read_text().splitlines()
        differences = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
        return sum(line[0] in "+-" for line in differences)

    def run(self, *command: str, without: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
        """Python, in the copy; without the variables that begin so."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(without)}
        environment["PYTHONPATH"] = f"{self.root}:{self.root / 'shared'}"
        return subprocess.run(
            [sys.executable, *command], cwd=self.root, env=environment, capture_output=True, text=True
        )

    def derive(self) -> None:
        done = self.run("-m", "somos.cli", "derive")
        assert done.returncode == 0, done.stdout + done.stderr

    def refusal(self) -> str:
        done = self.run("-m", "somos.cli", "derive")
        assert done.returncode != 0
        return done.stderr

    def missing(self, database: str) -> list[list[str]]:
        done = self.run("-c", MISSING, database)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    def built(self, name: str) -> Any:
        return json.loads((self.root / "gateway" / f"{name}.json").read_text())

    def endpoints(self, url: str) -> set[tuple[str, str]]:
        """What the OpenAPI says of a resource."""
        paths = self.built("openapi")["paths"].items()
        known = [(path, one) for path, operations in paths for one in operations if path.startswith(url)]
        return {(one, path) for path, one in known if one != "parameters"}

    def restore(self) -> None:
        for name in self.changed():
            if name in self.before:
                (self.root / name).write_bytes(self.before[name])
            else:
                (self.root / name).unlink()


def names_of(node: Any) -> set[str]:
    """What a statement defines or assigns."""
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    return {getattr(node, "name", ""), *(target.id for target in targets if isinstance(target, ast.Name))}


def next_revision(branch: str) -> tuple[str, str]:
    """The number of the next revision, and the one that it follows; of a new branch the first."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(locations()))
    heads = [head for head in ScriptDirectory.from_config(config).get_heads() if head.startswith(f"{branch}_")]
    number = int(re.sub(r"\D", "", heads[0])) + 1 if heads else 1
    return f"{branch}_{number:04}", heads[0] if heads else ""


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("copy")
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    before = {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}
    for name in before:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return Tree(root, before)


@pytest.fixture
def tree(copied: Tree) -> Iterator[Tree]:
    """The copy, as the original is, before and after."""
    yield copied
    copied.restore()
    assert copied.changed() == set()


def add_field(tree: Tree) -> None:
    tree.insert(TAGS["table"], tree.end_of(TAGS["table"], "Tag", "color"), "    note: Mapped[str | None]")
    tree.insert(TAGS["schema"], tree.end_of(TAGS["schema"], "TagFields"), "    note: str | None = None")
    tree.write("field")


def add_event(tree: Tree) -> None:
    tree.append("shared/somos/events/crm.py", "\n\nclass TagCreated(Event):\n    tag_id: UUID\n")
    tree.replace(
        TAGS["function"], "from somos.mesh import", "from somos.events.crm import TagCreated\nfrom somos.mesh import"
    )
    tree.replace(TAGS["function"], "    return ctx.show(ctx.create(Tag,", "    tag = ctx.show(ctx.create(Tag,")
    end = tree.end_of(TAGS["function"], "tags_create")
    tree.insert(TAGS["function"], end, "    ctx.emit(TagCreated(tag_id=tag.id))\n    return tag")
    tree.write("event")


def add_module(tree: Tree) -> None:
    line = '    "fleet":     ("RW",  "RW",    "R",       "-",       "-"),'
    tree.insert(MATRIX, tree.end_of(MATRIX, "_TABLE") - 1, line)
    tree.write("module")


def test_a_field_that_passes_through_costs_four_files(tree: Tree, database_urls: tuple[str, str]) -> None:
    add_field(tree)
    tree.derive()
    assert len(tree.by_hand()) <= 4, tree.by_hand()
    shapes = tree.built("openapi")["components"]["schemas"]
    assert all("note" in shapes[shape]["properties"] for shape in ("TagDraft", "TagPatch", "TagView"))
    assert tree.missing(database_urls[1]) == [["add_column", "tags.note"]]  # so it needs its migration


def test_a_plain_resource_costs_five_files_and_150_derived_lines(tree: Tree) -> None:
    tree.write("resource")
    tree.derive()
    assert len(tree.by_hand()) <= 5, tree.by_hand()
    assert 0 < tree.derived_lines() <= 150
    one = "/api/v1/blocked-hosts/{id}"
    assert tree.endpoints("/api/v1/blocked-hosts") == {
        *(("get", "/api/v1/blocked-hosts"), ("post", "/api/v1/blocked-hosts")),
        *(("get", one), ("patch", one), ("delete", one)),
    }


def test_an_event_with_a_consumer_in_another_module_costs_three_files(tree: Tree) -> None:
    add_event(tree)
    tree.derive()
    assert len(tree.by_hand()) <= 3, tree.by_hand()
    functions = {one["name"]: one for one in tree.built("map")["functions"]}
    assert functions["crm-tags"]["emits"] == ["crm.tag_created"]
    assert functions["hunter-on-tag-created"]["consumes"] == ["crm.tag_created"]
    subscribed = {(one["type"], one["function"]) for one in tree.built("routes")["subscriptions"]}
    assert ("crm.tag_created", "hunter-on-tag-created") in subscribed


def test_a_module_costs_its_own_folders_and_a_row_of_the_matrix(tree: Tree) -> None:
    add_module(tree)
    tree.derive()
    outside = {name for name in tree.by_hand() if "fleet" not in Path(name).parts}
    assert outside == {MATRIX}
    assert "fleet-vehicles" in {one["name"] for one in tree.built("map")["functions"]}
    assert len(tree.endpoints("/api/v1/vehicles")) == 5


def test_an_unknown_permission_and_a_module_without_its_row_are_refused(tree: Tree) -> None:
    tree.write("resource")
    tree.replace("functions/hunter/blocked_hosts.py", "hunter:write", "hunter.block")
    tree.write("module")  # and no row of the matrix
    refused = tree.refusal()
    assert "functions/hunter/blocked_hosts.py" in refused
    assert "'hunter.block', que a matriz não tem" in refused
    assert "'fleet:read', que a matriz não tem" in refused


def test_all_four_together_pass_the_rules_and_their_own_tests(tree: Tree) -> None:
    """With servers of their own: migrations make what the tables say, and no list elsewhere wants a line."""
    tree.write("resource")
    for change in (add_field, add_event, add_module):
        change(tree)
    own = sorted(name for name in tree.by_hand() if Path(name).name.startswith("test_"))
    rules = ["rules/test_policy_matrix", "contract/test_rooms", "contract/test_placement", "contract/test_one_name"]
    names = [*(f"tests/{rule}.py" for rule in rules), *own]
    migrations = "tests/contract/test_migrations.py::test_a_migrated_database_holds_exactly_the_declared_tables"
    done = tree.run("-m", "pytest", "-p", "no:cacheprovider", *names, migrations, without=("TEST_", "PYTEST_"))
    assert done.returncode == 0, done.stdout
    assert len(own) == 3


def test_one_file_more_is_counted(tree: Tree) -> None:
    add_field(tree)
    counted = tree.by_hand()
    tree.append("infra/placement.toml", "\n")
    (tree.root / "functions" / "crm" / "note.py").write_text("")
    assert tree.by_hand() - counted == {"infra/placement.toml", "functions/crm/note.py"}
