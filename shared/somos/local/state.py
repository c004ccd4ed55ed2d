"""What other commands may know of a running supervisor."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from somos.local.processes import Identity
from somos.local.supervisor import Supervisor


@dataclass
class State:
    """What `somos status` and `somos down` read of a running supervisor."""

    pid: int
    started: str
    parts: dict[str, dict[str, object]]

    @classmethod
    def read(cls, folder: Path) -> "State | None":
        """The living supervisor of this folder, if there is one."""
        try:
            state = cls(**json.loads((folder / "state.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return state if Identity(state.pid, state.started).alive() else None

    @classmethod
    def of(cls, supervisor: Supervisor) -> "State":
        own = Identity.own()
        parts: dict[str, dict[str, object]] = {
            name: {
                "state": status.state,
                "pid": status.process.pid if status.process and status.child else None,
                "address": status.part.address,
                "deaths": status.deaths,
            }
            for name, status in supervisor.parts.items()
        }
        return cls(own.pid, own.started, parts)

    def keep(self, folder: Path) -> None:
        part = folder / "state.part"
        part.write_text(json.dumps(asdict(self)))
        part.replace(folder / "state.json")

    @property
    def process(self) -> Identity:
        return Identity(self.pid, self.started)
