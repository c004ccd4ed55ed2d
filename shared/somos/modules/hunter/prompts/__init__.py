"""What models are asked, as files: the wording is read, versioned and reviewed like code."""

from functools import cache
from importlib.resources import files


@cache
def text_of(name: str) -> str:
    """The wording of one prompt."""
    return (files(__name__) / f"{name}.md").read_text(encoding="utf-8").strip()
