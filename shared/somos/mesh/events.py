"""Event: a fact that one module states and others may act on."""

import re
from typing import Any, ClassVar

from pydantic import ConfigDict

from somos.mesh.models import Model


class Event(Model):
    """A fact, named `<module>.<snake_case>` after the file and the class that declare it.

    Fields are plain JSON values and ids; no personal data, which stays in the module's tables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str] = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        module = cls.__module__.rsplit(".", 1)[-1]
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        cls.type = f"{module}.{snake}"
