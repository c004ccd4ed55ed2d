"""What every port is built of: a Protocol whose operations stay declared, and frozen values."""

from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """What crosses a port: immutable, closed, JSON both ways, so the journal can keep it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Port(Protocol):
    """A part of the outside. Adapters subclass the port; their methods inherit what `@operation` declared."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, method in vars(cls).items():
            for base in cls.__mro__[1:]:
                declared = getattr(vars(base).get(name), "__unknown__", None)
                if declared and not hasattr(method, "__unknown__"):
                    method.__unknown__ = declared
