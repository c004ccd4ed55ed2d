"""The switches that stop everything."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from somos.mesh import Body, Filter, View
from somos.modules.sdr.rules.words import SwitchScope
from somos.modules.sdr.schemas.fields import Reason
from somos.modules.sdr.tables.kill_switches import KillSwitch


class KillSwitchFilter(Filter):
    table: ClassVar[Any] = KillSwitch
    sort: Literal["-id", "id"] = "-id"
    scope: str | None = Field(None, max_length=40)


class StopAll(Body):
    """What stops at once: everything, one channel, or what the agent wrote."""

    scope: SwitchScope
    reason: Reason


class KillSwitchView(View):
    id: UUID
    scope: str
    reason: str
    on_by: UUID
    off_by: UUID | None
    off_at: datetime | None
    created_at: datetime
