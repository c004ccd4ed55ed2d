"""What each function needs of where it runs: its image, and the secrets it may read."""

import sys

from somos import wiring
from somos.mesh.declare import Function
from somos.mesh.derive import Needs

EVERYONE = ("database-url", "jwt-public-key", "redis-url")


def needs_of(function: Function) -> Needs:
    """Derived from the ports it calls and from who signs its webhooks, so no secret is handed out by habit."""
    calls = {port for consumer in function.consumers for port in consumer.calls}
    names = wiring.required_secrets([*calls, *(webhook.signed_by for webhook in function.webhooks)])
    secrets = {*EVERYONE, *(name.lower().replace("_", "-") for name in names)}
    if function.consumers:
        secrets.add("mesh-secret")  # a step checks that the mesh sent the delivery
    if _signs_people_in(function):
        secrets.add("jwt-private-key")
    talks_to_a_model = any(port.__name__ == "Llm" for port in calls)
    return Needs("ai" if talks_to_a_model else "core", tuple(sorted(secrets)))


def _signs_people_in(function: Function) -> bool:
    return any(hasattr(sys.modules[endpoint.handler.__module__], "signed_in") for endpoint in function.endpoints)
