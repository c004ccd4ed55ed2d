"""Plays the story on the terminal once everything is ready."""

import signal
import subprocess
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from somos.local.processes import dying_with_us
from somos.local.screen import Screen
from somos.settings import ROOT


class StoryProcess:
    """The story in a process of its own, so that playing it and keeping the parts alive go on side by side."""

    def __init__(self, tale: list[str] | None, once: bool, settings: Mapping[str, str]) -> None:
        self._tale, self._once = tale, once
        self._settings = settings
        self._child: subprocess.Popen[bytes] | None = None
        self._is_over = tale is None
        self._greeted = False

    def turn(self, screen: Screen) -> int | None:
        """Go on; an exit status when the stack should end."""
        if self._tale is not None and not self._is_over:
            if self._child is None:
                command = dying_with_us(self._tale, signal.SIGTERM)
                self._child = subprocess.Popen(  # noqa: S603
                    command, stdin=subprocess.DEVNULL, env=self._settings, cwd=ROOT, start_new_session=True
                )
            code = self._child.poll()
            if code is None:
                return None
            self._is_over = True
            if self._once:
                return code if code >= 0 else 128 - code
            if code:
                screen.say(f"a história não terminou (status {code}); a pilha continua no ar")
        if not self._greeted:
            self._greeted = True
            screen.greet(self._settings)
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It ends before the parts it talks to."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(5)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
