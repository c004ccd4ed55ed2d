"""The base of every shape: its validator is built when a first value needs it, and by one thread."""

import threading
from typing import Any

from pydantic import BaseModel, ConfigDict

_building = threading.RLock()


class Model(BaseModel):
    """A unit knows dozens of shapes and is asked for a few; building one costs as much as a small request."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:
        # Two first requests at once: pydantic would take apart what it just built.
        with _building:
            # Names are looked up in the caller's frame, which is one further away.
            depth = options.pop("_parent_namespace_depth", 2) + 1
            return super().model_rebuild(_parent_namespace_depth=depth, **options)
