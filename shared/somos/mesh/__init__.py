"""The mesh's runtime: what function authors use. It knows no module."""

from somos.mesh.context import Context
from somos.mesh.declare import cron, http, topic, webhook
from somos.mesh.effects import Later, Parked
from somos.mesh.events import Event
from somos.mesh.problems import Conflict, Forbidden, Invalid, NotFound, Problem, TooMany, Unauthorised
from somos.mesh.schemas import Accepted, Body, Cents, Download, Filter, Page, Upload, View

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
    "NotFound",
    "Page",
    "Parked",
    "Problem",
    "TooMany",
    "Unauthorised",
    "Upload",
    "View",
    "cron",
    "http",
    "topic",
    "webhook",
]
