"""Asking a language model for an answer of a given shape."""

import hashlib
from typing import Any, Protocol

from pydantic import BaseModel

from somos.mesh.effects import operation
from somos.ports.port import Port, Value


def section(tag: str, text: str) -> str:
    """Text from outside between tags it cannot close: what it says is data, never instructions."""
    return f"<{tag}>\n{text.replace('<', '‹').replace('>', '›')}\n</{tag}>"


class Prompt(Value):
    """`system` is ours and fixed; `user` holds the sections with what is being asked about."""

    name: str = ""
    system: str
    user: str

    @property
    def version(self) -> str:
        """Changes whenever the wording of the system part does."""
        return hashlib.sha256(f"{self.name}\n{self.system}".encode()).hexdigest()[:12]


class LlmAnswer(Value):
    """`output` fits the schema asked for. Tokens include tries whose answer did not."""

    output: dict[str, Any]
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    latency_ms: int = 0


class Llm(Port, Protocol):
    @operation(unknown="retry")
    def ask(self, prompt: Prompt, output: type[BaseModel], key: str = "") -> LlmAnswer:
        """An answer checked against `output`. `key` names the call at the provider; it is not a cache."""
        ...
