"""The mesh's runtime: what function authors use. It knows no module."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from somos.mesh.context import Context
    from somos.mesh.declare import cron, http, topic, webhook
    from somos.mesh.effects import Later, Parked
    from somos.mesh.events import Event
    from somos.mesh.models import Model
    from somos.mesh.problems import Conflict, Forbidden, Invalid, NotFound, Problem, TooMany, Unauthorised
    from somos.mesh.schemas import (
        Accepted,
        Body,
        Cents,
        Download,
        Filter,
        OneOf,
        Page,
        Patch,
        Record,
        Upload,
        View,
        untouched,
    )

__all__ = [
    "Accepted",
    "Body",
    "Cents",
    "Conflict",
    "Context",
    "Download",
    "Event",
    "Filter",
    "Forbidden",
    "Invalid",
    "Later",
    "Model",
    "NotFound",
    "OneOf",
    "Page",
    "Parked",
    "Patch",
    "Problem",
    "Record",
    "TooMany",
    "Unauthorised",
    "Upload",
    "View",
    "cron",
    "http",
    "topic",
    "untouched",
    "webhook",
]

_PLACES = {
    "context": ("Context",),
    "declare": ("cron", "http", "topic", "webhook"),
    "effects": ("Later", "Parked"),
    "events": ("Event",),
    "problems": ("Conflict", "Forbidden", "Invalid", "NotFound", "Problem", "TooMany", "Unauthorised"),
    "models": ("Model",),
    "schemas": (
        "Accepted",
        "Body",
        "Cents",
        "Download",
        "Filter",
        "OneOf",
        "Page",
        "Patch",
        "Record",
        "Upload",
        "View",
        "untouched",
    ),
}
_place_of = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    """On first use: who needs the clock or the log alone loads neither SQLAlchemy nor pydantic."""
    if name not in _place_of:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"somos.mesh.{_place_of[name]}"), name)
    return value
