"""Two records of one company or person become one: which value stays, field by field."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal

Side = Literal["survivor", "absorbed"]
# What is chosen between the two, for each kind of record.
FIELDS: Final = {
    "company": (
        "name", "legal_name", "document", "domain", "phone", "email", "city", "uf", "segment", "notes", "owner_id",
    ),
    "contact": ("name", "title", "email", "phone", "notes", "owner_id"),
}  # fmt: skip


def chosen_values(
    survivor: Mapping[str, Any],
    absorbed: Mapping[str, Any],
    choices: Mapping[str, Side],
    fields: Collection[str],
) -> dict[str, Any]:
    """What the survivor ends up with: the chosen side; unchosen, its own value or else the other's."""
    values: dict[str, Any] = {}
    for field in fields:
        mine, theirs = survivor.get(field), absorbed.get(field)
        side = choices.get(field)
        values[field] = theirs if side == "absorbed" or (side is None and _empty(mine)) else mine
    return values


def unknown_choices(choices: Collection[str], fields: Collection[str]) -> list[str]:
    """Chosen fields that cannot be chosen."""
    return sorted(set(choices) - set(fields))


def _empty(value: Any) -> bool:
    return value is None or value == ""
