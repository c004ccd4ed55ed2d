"""What each function needs of where it runs: its image, the secrets it may read, the settings it is told."""

from functools import cache

from somos import wiring
from somos.cli.reach import reads
from somos.mesh.declare import Function
from somos.mesh.derive import Needs

EVERYONE = ("database-url", "jwt-public-key", "redis-url")
# Settings that are secrets and belong to no port: whoever's code can read one gets it, nobody else.
READ_BY_CODE = frozenset({"jwt_private_key", "suppression_key"})


def needs_of(function: Function) -> Needs:
    """Derived from the ports it calls, from who signs its webhooks and from what its code reads, so no secret is
    handed out by habit and none is missing."""
    calls = {port for consumer in function.consumers for port in consumer.calls}
    needed: list[wiring.Needed] = [*calls, *(webhook.signed_by for webhook in function.webhooks)]
    names = wiring.required_secrets(needed)
    secrets = {*EVERYONE, *map(_file_name, names), *map(_file_name, _read(function.file))}
    if function.consumers:
        secrets.add("mesh-secret")  # a step checks that the mesh sent the delivery
    settings = {*wiring.required_settings(needed), *wiring.optional_settings(needed)} - set(names)
    return Needs(wiring.required_image(needed), tuple(sorted(secrets)), tuple(sorted(settings)))


@cache
def _read(file: str) -> frozenset[str]:
    return frozenset(reads(file, READ_BY_CODE))


def _file_name(setting: str) -> str:
    return setting.lower().replace("_", "-")
