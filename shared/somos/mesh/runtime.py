"""What a process of the mesh holds: settings, database, Redis, the map, the outside. Made on first use."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from somos.mesh import clock
from somos.mesh.notifier import Notifier
from somos.mesh.routes import Routes
from somos.policy.identity import Accounts
from somos.settings import Settings

if TYPE_CHECKING:
    import redis

    from somos.mesh.ended_sessions import EndedSessionsCache
    from somos.policy.ended_sessions import EndedSessions
    from somos.policy.tokens import TokenVerifier

PortFactory = Callable[[type], Any]


class Runtime:
    """One per process. Tests make their own; nothing here connects before it is asked."""

    def __init__(self, settings: Settings, *, engine: Any = None, routes: Routes | None = None) -> None:
        self.settings = settings
        if engine is not None:
            self.engine = engine
        if routes is not None:
            self.routes = routes

    @cached_property
    def engine(self) -> Any:
        from somos.mesh.database import engine_for

        return engine_for(self.settings.database_url, self.settings.pool_size, self.settings.prepared_statements)

    def apart(self, pool_size: int) -> "Runtime":
        """The same runtime with connections to the database of its own, which nobody else can use up."""
        other = copy(self)
        other.__dict__.pop("engine", None)
        other.settings = replace(self.settings, pool_size=pool_size)
        # One process learns of an ended sign-in once, and by connections that are free.
        other.__dict__.pop("ended", None)
        self.ended = other.ended
        return other

    @cached_property
    def redis(self) -> "redis.Redis":
        import redis

        return redis.Redis.from_url(
            self.settings.redis_url, socket_timeout=5, socket_connect_timeout=2, health_check_interval=30
        )

    @cached_property
    def notifier(self) -> Notifier:
        return Notifier(self.redis if self.settings.redis_url else None)

    def announce(self, messages: list[dict[str, Any]], types: list[str]) -> None:
        """After a commit: tell connected people, and wake who consumes events of these types."""
        if messages:
            self.notifier.publish(messages)
        if types:
            known = self.routes.queues_by_type
            self.notifier.wake(dict.fromkeys(queue for type in types for queue in known.get(type, ())))

    @cached_property
    def routes(self) -> Routes:
        return Routes.load(self.settings.routes_file)

    @cached_property
    def wiring(self) -> Any:
        """The adapters behind the ports; imported here so that the mesh itself knows none."""
        return import_module("somos.wiring").Wiring(self.settings, lambda: self.redis)

    @cached_property
    def verifier(self) -> "TokenVerifier":
        from somos.policy.tokens import TokenVerifier

        return TokenVerifier(self.settings.jwt_public_key)

    @cached_property
    def ended(self) -> "EndedSessionsCache":
        from somos.mesh.ended_sessions import EndedSessionsCache

        return EndedSessionsCache(self._read_ended)

    def _read_ended(self) -> "EndedSessions":
        from somos.mesh.database import Acting, transaction
        from somos.policy.principals import SYSTEM

        with transaction(self.engine, Acting(SYSTEM, "authorization")) as db:
            return self.accounts.ended(db, clock.now())

    @cached_property
    def accounts(self) -> Accounts:
        """What accounts and keys say now: the auth module's answer, by the same late import."""
        return cast(Accounts, import_module("somos.modules.auth.actions.identity"))


_current: list[Runtime] = []


def current() -> Runtime:
    if not _current:
        _current.append(Runtime(Settings.from_environment()))
    return _current[0]


def use(runtime: Runtime) -> None:
    """Make this the process's runtime (tests, forked children)."""
    _current[:] = [runtime]
