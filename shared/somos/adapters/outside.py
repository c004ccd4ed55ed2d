"""What the adapters of one provider are built of: its settings, and ways to call it that share one gate."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from somos.adapters.provider import Provider, Setting
from somos.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

    from somos.adapters.gate import Gate
    from somos.adapters.http import ResilientClient
    from somos.adapters.resilience import Caller


class Outside:
    """Nothing here connects, nor is a client loaded, before it is asked for."""

    def __init__(
        self,
        provider: Provider,
        settings: Settings,
        redis: "Callable[[], Redis | None]",
        clock: Callable[[], datetime],
    ) -> None:
        self.provider, self.clock, self.backoff_scale = provider, clock, settings.backoff_scale
        self._settings, self._redis = settings, redis

    def value(self, setting: Setting) -> str:
        return self._settings.outside.get(setting.name) or setting.default

    def lacks(self, settings: tuple[Setting, ...]) -> list[str]:
        """The names of those that are required and not set."""
        return [setting.name for setting in settings if setting.required and not self.value(setting)]

    def gate(self) -> "Gate":
        from somos.adapters.gate import Gate

        return Gate(self._redis(), self.provider.name, self.clock, rate=self.provider.rate)

    def caller(self) -> "Caller":
        from somos.adapters.resilience import Caller, Terms

        return Caller(self.provider.name, self.gate(), Terms(backoff_scale=self.backoff_scale))

    def client(self, base_url: Setting, headers: Mapping[str, str] | None = None) -> "ResilientClient":
        from somos.adapters.http import ResilientClient
        from somos.adapters.resilience import Terms

        return ResilientClient(
            self.provider.name,
            self.value(base_url),
            headers=headers or {},
            gate=self.gate(),
            terms=Terms(backoff_scale=self.backoff_scale),
        )
