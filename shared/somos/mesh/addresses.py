"""Where a function is reached: its unit, and the unit's address, as the placement in use says."""

import json
from pathlib import Path

from somos.settings import Settings


class Addresses:
    """Under grain `function` a unit is called as its function is; any other placement has its map."""

    def __init__(self, settings: Settings) -> None:
        self._template = settings.function_url.replace("{gateway}", settings.gateway_url.rstrip("/"))
        self._units: dict[str, str] = _load(settings.units_file, settings.placement) if settings.placement else {}

    def of(self, function: str) -> str:
        """Where its deliveries are posted."""
        return self._template.replace("{unit}", self._units.get(function, function)).replace("{function}", function)


def _load(file: str, placement: str) -> dict[str, str]:
    """Raises LookupError for a placement that `somos derive` did not write."""
    known = json.loads(Path(file).read_text())
    if placement not in known:
        raise LookupError(f"SOMOS_PLACEMENT={placement!r} não está em {file}; há: {', '.join(known)}")
    return dict(known[placement])
