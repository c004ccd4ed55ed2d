"""What every function file promises without being told: a purpose, a name that finds it, words people understand."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from somos.mesh import dispatch, problems
from somos.mesh.declare import Function
from somos.mesh.derive import known_events
from somos.mesh.derive.faults import faults
from somos.mesh.loader import load
from somos.settings import ROOT

FILES = sorted(file for file in (ROOT / "functions").glob("*/*.py") if file.name != "__init__.py")
LIBRARY = sorted((ROOT / "shared" / "somos" / "modules").rglob("*.py"))
PROBLEMS = {name for name, one in vars(problems).items() if inspect.isclass(one) and issubclass(one, problems.Problem)}


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def functions() -> list[Function]:
    return list(load().values())


def calls(file: Path) -> Iterator[ast.Call]:
    tree = ast.parse(file.read_text())
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """`Conflict` of `Conflict(...)`, `db.commit` of `ctx.db.commit()`."""
    return ".".join(ast.unparse(call.func).split(".")[-2:])


# -- files and names


def test_a_function_file_says_first_what_it_is_for() -> None:
    for file in FILES:
        doc = ast.get_docstring(ast.parse(file.read_text()))
        assert doc, f"{named(file)} begins without a docstring"
        assert doc.splitlines()[0].endswith((".", ";")), (
            f"{named(file)}: end the docstring's first line with '.' or ';'"
        )


def test_every_function_file_declares_a_function_and_nothing_else_does() -> None:
    assert {Path(function.file) for function in functions()} == set(FILES)


def test_a_step_is_named_after_its_event_a_webhook_after_its_path_and_a_timer_says_when() -> None:
    for function in functions():
        stem = Path(function.file).stem
        for topic in function.topics:
            assert topic.model
            words = re.sub(r"(?<!^)(?=[A-Z])", "_", topic.model.__name__).lower()
            assert topic.handler.__name__ == f"on_{words}", f"{function.name} consumes {topic.model.__name__}"
        if len(function.topics) == 1:
            assert stem == function.topics[0].handler.__name__, function.name
        elif function.topics:
            assert re.fullmatch("on_[a-z]+_facts", stem), f"{function.name} gathers several reactions"
        for webhook in function.webhooks:
            assert stem == f"hook_{webhook.path.rsplit('/', 1)[1]}", f"{function.name} serves {webhook.path}"
        assert bool(function.timers) == stem.startswith("every_"), function.name


def test_nothing_contradicts_itself() -> None:
    """Every event has who states it and who acts on it; every route one handler; every permission a name."""
    assert [str(fault) for fault in faults(functions(), known_events())] == []


# -- what a handler leaves to the runtime


def test_nobody_commits_and_nobody_looks_at_the_clock() -> None:
    """The runtime commits, once; ctx.now and ctx.today can be set by tests."""
    transactions = {"commit", "rollback", "begin_nested"}
    clocks = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}
    found = [
        f"{named(file)}:{call.lineno} {name}"
        for file in (*FILES, *LIBRARY)
        for call in calls(file)
        if (name := called(call)) in clocks or name.split(".")[-1] in transactions
    ]
    assert found == []


# -- words

# Words that no Portuguese sentence has; those that both languages write alike are left out.
ENGLISH = re.compile(
    r"\b(the|is|are|was|not|must|already|cannot|can't|invalid|missing|should|has|have|been|with|this|that|you|your"
    r"|for|from|of|to|and|or|found|unknown|allowed|required|field|value|wrong|expired|exists|another|only)\b",
    re.IGNORECASE,
)


def sentences(file: Path) -> Iterator[tuple[int, str]]:
    """Texts of three words or more that begin or end like a sentence, docstrings, SQL and patterns aside."""
    tree = ast.parse(file.read_text())
    docs = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or node in docs:
            continue
        said = node.value.strip()
        if len(said.split()) >= 3 and (said[0].isupper() or said[-1] in ".!?;:") and "\\" not in said:
            yield node.lineno, said


def test_what_people_read_is_portuguese() -> None:
    found = [
        f"{named(file)}:{line} {sentence!r} says {word[0]!r}"
        for file in (*FILES, *LIBRARY)
        for line, sentence in sentences(file)
        if (word := ENGLISH.search(re.sub(r"`[^`]*`", "", sentence)))  # between back quotes stand names
    ]
    assert found == []


def test_the_runtimes_own_problems_are_portuguese_too() -> None:
    said = [getattr(problems, name).title for name in PROBLEMS] + list(dispatch._SENTENCES.values())
    said += [
        part.value
        for file in (ROOT / "shared" / "somos" / "mesh").glob("*.py")
        for call in calls(file)
        if called(call).split(".")[-1] in PROBLEMS
        for part in (one for written in call.args[:1] for one in ast.walk(written))
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]
    assert len(said) > 40
    assert [sentence for sentence in said if ENGLISH.search(re.sub(r"\{\w+\}", "", sentence))] == []


def test_codes_of_problems_are_stable_words() -> None:
    codes = [
        (f"{named(file)}:{call.lineno}", keyword.value.value)
        for file in (*FILES, *LIBRARY)
        for call in calls(file)
        if called(call).split(".")[-1] in PROBLEMS
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    ]
    assert codes
    assert [where for where, code in codes if not re.fullmatch(r"[a-z][a-z0-9-]+", str(code))] == []
