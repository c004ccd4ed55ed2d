"""What a part of the stack tells its supervisor."""

import os
from pathlib import Path


def announce_ready() -> None:
    """Say that this process is ready, where its supervisor looks; without one, nothing."""
    file = os.environ.get("SOMOS_READY_FILE")
    if file:
        Path(file).write_text(str(os.getpid()))
