"""What a provider's folder declares of itself, and how all declarations are found.

A folder's `__init__` holds its `PROVIDER`; it loads nothing but this module, so that all of them are known in a few
milliseconds, and the adapters behind them load on first use.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from somos.adapters.outside import Outside


@dataclass(frozen=True)
class Rate:
    """At most `count` calls in any `seconds`, all workers together."""

    count: int
    seconds: float


def bad_header(value: str) -> str | None:
    """What is wrong with a value that is sent as, or within, a header."""
    if value.isascii() and value.isprintable() and " " not in value:
        return None
    return "tem espaço ou caracteres que não cabem em um cabeçalho."


def bad_address(value: str) -> str | None:
    """What is wrong with the address of a service."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    return None if good else "não é um endereço http:// ou https:// válido."


def stand_in_key() -> str:
    """A key for the sandbox world, which takes any."""
    return f"sandbox-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class Setting:
    """A name of the environment that an adapter reads; one with a `default` never lacks.

    `fault` says in a sentence what is wrong with a value, without quoting it. Of an address, `sandbox` is the path
    under which the sandbox world answers in the provider's place; of a secret, `stand_in` makes one for that world.
    """

    name: str
    default: str = ""
    required: bool = True
    secret: bool = False
    fault: Callable[[str], str | None] = bad_header
    sandbox: str | None = None
    stand_in: Callable[[], str] = stand_in_key


def address(name: str, *, required: bool = True, sandbox: str | None = None) -> Setting:
    return Setting(name, required=required, fault=bad_address, sandbox=sandbox)


def secret(
    name: str, fault: Callable[[str], str | None] = bad_header, stand_in: Callable[[], str] = stand_in_key
) -> Setting:
    return Setting(name, secret=True, fault=fault, stand_in=stand_in)


@dataclass(frozen=True)
class Adapter:
    """What builds the answer to one port, and the settings it reads. With `asks=False` it calls nobody, so there is
    no health of it. `image` is the one that holds the packages it imports."""

    build: "Callable[[Outside], Any]"
    settings: tuple[Setting, ...] = ()
    asks: bool = True
    image: Literal["core", "ai"] = "core"


@dataclass(frozen=True)
class Provider:
    """One part of the outside: by a port's full name what answers for it, what proves its webhooks, and how often it
    may be called. Webhooks name it in `signed_by`."""

    name: str
    ports: Mapping[str, Adapter] = field(default_factory=dict)
    webhooks: Adapter | None = None
    rate: Rate | None = None

    @property
    def settings(self) -> tuple[Setting, ...]:
        """All that its adapters read, each once."""
        adapters = [*self.ports.values(), *([self.webhooks] if self.webhooks else [])]
        return tuple(dict.fromkeys(setting for adapter in adapters for setting in adapter.settings))


@cache
def providers() -> tuple[Provider, ...]:
    """Every provider that has a folder here, by its name."""
    folders = sorted(file.parent.name for file in Path(__file__).parent.glob("*/__init__.py"))
    return tuple(import_module(f"somos.adapters.{folder}").PROVIDER for folder in folders)
