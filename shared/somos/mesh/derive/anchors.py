"""What the functions of a stack say alike, said once: YAML anchors, as Go's YAML merges them.

Go's decoder reads a mapping into the one that a merge brought, so a mapping is shared whole or not at all; and some of
its versions let a merge win over what stands before it, so the merge comes first.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

Entry = Mapping[str, Any]
OF_ONE = {"somos.module"}  # who it is stands with it, however many say the same


def anchored(functions: Mapping[str, Entry]) -> str:
    """The shared blocks, then `functions:`; a YAML parser makes of it what it was made from."""
    blocks = {name: block for name, block in _blocks(list(functions.values())) if block}
    lines = [line for name, block in blocks.items() for line in (f"x-{name}: &{name}", *_lines(block, "  "))]
    lines.append("functions:")
    for name, entry in functions.items():
        lines += [f"  {name}:", *_function(entry, blocks)]
    return "\n".join(lines) + "\n"


def _blocks(entries: list[Entry]) -> Iterator[tuple[str, Entry]]:
    for image, alike in _by_label("somos.image", entries):
        # Who builds the image has no `skip_build` that the others could hand down.
        yield image, _common([one for one in alike if "skip_build" in one])
        yield f"{image}-environment", _common([one["environment"] for one in alike])
    for tier, alike in _by_label("somos.tier", entries):
        yield tier, _common([one["labels"] for one in alike])


def _by_label(label: str, entries: list[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    for value in dict.fromkeys(one["labels"][label] for one in entries):
        yield value, [one for one in entries if one["labels"][label] == value]


def _common(entries: list[Entry]) -> Entry:
    """Of each key that all have: the value that most of them have, if several do; of a mapping, what all have."""
    common = {}
    for key in entries[0] if len(entries) > 1 else ():
        values = [json.dumps(one[key]) for one in entries if key in one]
        [(value, times)] = Counter(values).most_common(1)
        needed = len(entries) if isinstance(entries[0][key], Mapping) else 2
        if key not in OF_ONE and len(values) == len(entries) and times >= needed:
            common[key] = json.loads(value)
    return common


def _function(entry: Entry, blocks: Mapping[str, Entry]) -> Iterator[str]:
    image, tier = entry["labels"]["somos.image"], entry["labels"]["somos.tier"]
    shared = image if "skip_build" in entry and image in blocks else None
    if shared:
        yield f"    <<: *{shared}"
    apart = ("environment", "labels", "annotations")
    yield from _lines(
        {key: value for key, value in entry.items() if key not in apart}, "    ", blocks.get(shared or "")
    )
    yield f"    environment: {_merged(entry['environment'], f'{image}-environment', blocks)}"
    yield f"    labels: {_merged(entry['labels'], tier, blocks)}"
    yield from ("    annotations:", *_lines(entry["annotations"], "      "))


def _lines(entry: Entry, indent: str, shared: Entry | None = None) -> list[str]:
    return [f"{indent}{key}: {_flow(value)}" for key, value in _besides(entry, shared or {}).items()]


def _besides(entry: Entry, shared: Entry) -> Entry:
    return {key: value for key, value in entry.items() if key not in shared or shared[key] != value}


def _merged(entry: Entry, name: str, blocks: Mapping[str, Entry]) -> str:
    if name not in blocks:
        return _flow(entry)
    own = (f"{key}: {_flow(value)}" for key, value in _besides(entry, blocks[name]).items())
    return "{" + ", ".join([f"<<: *{name}", *own]) + "}"


def _flow(value: Any) -> str:
    """On one line, every text in quotes: JSON is YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
