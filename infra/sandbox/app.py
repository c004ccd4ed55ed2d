"""One WSGI app for the whole outside world: providers by path, company sites by host name."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from infra.sandbox import (
    control,
    evolution,
    evolution_routes,
    faults,
    model,
    registry,
    resend,
    resend_routes,
    serpapi,
    sites,
    welcome,
)
from infra.sandbox.agenda import Agenda
from infra.sandbox.config import Config
from infra.sandbox.faults import Faults
from infra.sandbox.state import State
from infra.sandbox.webhooks import Webhooks
from infra.sandbox.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Outside:
    """The WSGI app together with the world behind it."""

    def __init__(self, config: Config, state_path: str = ":memory:") -> None:
        state = State(state_path, config.seed)
        agenda = Agenda(state)
        self.world = World(config, state, agenda, Webhooks(state, agenda, config), Faults(state))
        self.flask = Flask("sandbox", static_folder=None)
        self.flask.url_map.strict_slashes = False
        self.flask.url_map.merge_slashes = False
        faults.install(self.flask, self.world.faults, state)
        whatsapp, email = evolution.Evolution(self.world), resend.Resend(self.world)
        for blueprint in (
            welcome.blueprint(self.world),
            serpapi.blueprint(self.world),
            evolution_routes.blueprint(self.world, whatsapp),
            resend_routes.blueprint(self.world, email),
            model.blueprint(self.world),
            registry.blueprint(),
            sites.blueprint(self.world),
            control.blueprint(self.world, whatsapp, email),
        ):
            self.flask.register_blueprint(blueprint)
        with state.write():
            whatsapp.seed()
            email.seed()

    def start(self) -> None:
        self.world.agenda.start()

    def stop(self) -> None:
        self.world.agenda.stop()
        self.world.webhooks.close()
        self.world.state.close()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        host = environ.get("HTTP_HOST", "")
        if not self._is_own(host, environ):
            environ["PATH_INFO"] = f"/_site/{host}{environ.get('PATH_INFO') or '/'}"
        return self.flask(environ, start_response)

    def _is_own(self, host: str, environ: "WSGIEnvironment") -> bool:
        """Whether a request is for the sandbox itself; anything else is a site somebody asks a proxy for."""
        name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
        if name.strip("[]").lower() not in self.world.config.own_names and host:
            return False
        through_proxy = environ.get("RAW_URI", "").startswith("http://")
        # A proxied request to another port of this machine is a way into somebody's network, not to us.
        return not through_proxy or (port or "80") == environ["SERVER_PORT"]
