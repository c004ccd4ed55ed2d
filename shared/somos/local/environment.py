"""What the local parts are told: generated addresses and keys, or the real services a person points at."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from somos.adapters.provider import Setting, providers
from somos.local import postgres, valkey
from somos.local.addresses import LOOPBACK, free_port, is_free, taken
from somos.local.secrets import kept, kept_pair, kept_password
from somos.settings import ROOT

# Where a stack keeps everything it knows; another folder is another stack.
FOLDER = Path(os.environ.get("SOMOS_FOLDER") or ROOT / ".somos").resolve()

# Each outside service's address: its place in the sandbox world, and what must come with a real one.
OUTSIDE = {
    one.name: (one.sandbox, tuple(setting for setting in provider.settings if setting.secret))
    for provider in providers()
    for one in provider.settings
    if one.sandbox is not None
}

KEPT = "ports.json"


@dataclass(frozen=True)
class Ports:
    """Where the parts listen on loopback."""

    gateway: int = 8080
    realtime: int = 8081
    sandbox: int = 7070
    postgres: int = 54320
    redis: int = 63790

    @classmethod
    def free(cls, folder: Path) -> "Ports":
        """Any that are free: those this folder had before, so that whoever was told to call back still finds us."""
        before = asdict(cls.of(folder)) if (folder / KEPT).exists() else {}
        return cls(*(before[it] if it in before and is_free(before[it]) else free_port() for it in asdict(cls())))

    @classmethod
    def of(cls, folder: Path) -> "Ports":
        """Those of the stack that runs, or last ran, in this folder."""
        try:
            return cls(**json.loads((folder / KEPT).read_text()))
        except (OSError, ValueError, TypeError):
            return cls()

    def keep(self, folder: Path) -> None:
        (folder / KEPT).write_text(json.dumps(asdict(self)))

    def taken(self, needed: set[str]) -> list[str]:
        """One line for each needed port that something else holds."""
        lines = [taken(port, name) for name, port in asdict(self).items() if name in needed]
        return [line for line in lines if line]


def given() -> dict[str, str]:
    """What the person set: the `.env` file, and over it the environment."""
    return {**read_env_file(ROOT / ".env"), **os.environ}


def embedded(environment: Mapping[str, str]) -> set[str]:
    """Which parts stand in for services the person did not point at."""
    parts = {"gateway", "realtime"}
    parts |= set() if environment.get("DATABASE_URL") else {"postgres"}
    parts |= set() if environment.get("REDIS_URL") else {"redis"}
    parts |= set() if all(environment.get(name) for name in OUTSIDE) else {"sandbox"}
    return parts


def complete(environment: Mapping[str, str], folder: Path, ports: Ports) -> dict[str, str]:
    """The person's settings, and for everything they left open the local stand-in's."""
    secrets = folder / "secrets"
    gateway, sandbox = f"http://{LOOPBACK}:{ports.gateway}", f"http://{LOOPBACK}:{ports.sandbox}"
    private, public = kept_pair(secrets, "jwt")
    generated = {
        "GATEWAY_URL": gateway,
        "PUBLIC_URL": environment.get("PUBLIC_URL") or gateway,
        "REALTIME_URL": f"http://{LOOPBACK}:{ports.realtime}",
        "SANDBOX_URL": sandbox,
    }
    if not environment.get("SOMOS_JWT_PRIVATE_KEY"):
        generated |= {"SOMOS_JWT_PRIVATE_KEY": private, "SOMOS_JWT_PUBLIC_KEY": public}
    for name in ("SOMOS_MESH_SECRET", "SOMOS_SUPPRESSION_KEY"):
        if not environment.get(name):
            generated[name] = kept_password(secrets, name.removeprefix("SOMOS_").lower().replace("_", "-"))
    if not environment.get("DATABASE_URL"):
        generated["DATABASE_URL"], generated["DATABASE_OWNER_URL"] = postgres.addresses(ports.postgres, secrets)
        generated["PREPARED_STATEMENTS"] = "300"
    if not environment.get("REDIS_URL"):
        generated["REDIS_URL"] = valkey.address(ports.redis, secrets)
    for name, (place, companions) in OUTSIDE.items():
        if not environment.get(name):
            generated[name] = sandbox + place
            # A key for the real service never goes to the stand-in.
            generated |= {one.name: _sandbox_key(secrets, one) for one in companions}
    if not environment.get("SERPAPI_URL") and not environment.get("SITES_PROXY"):
        generated["SITES_PROXY"] = sandbox  # results that were made up lead to sites that were made up
    return {**environment, **generated}


def for_parts(settings: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The settings, and what makes a process a part of the stack in this folder."""
    return {
        **settings,
        # A file of the folder's own: the gateway writes it from what is being edited, which may not be derived yet.
        "ROUTES_FILE": str(folder / "routes.json"),
        "SOMOS_FOLDER": str(folder),
        "SOMOS_STACK": "1",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
        "PYTHONUNBUFFERED": "1",
    }


def unused_keys(environment: Mapping[str, str]) -> list[str]:
    """One line for each key that stays unused because its service's address is not set."""
    return [
        f"{key.name} não será usada: {url} não está definida, o mundo simulado responde"
        for url, (_, companions) in OUTSIDE.items()
        if not environment.get(url)
        for key in companions
        if environment.get(key.name)
    ]


def for_a_command(folder: Path) -> None:
    """Let a command typed beside a running stack reach it, as its parts do."""
    os.environ.update(complete(given(), folder, Ports.of(folder)))


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines; quotes are optional, and inside double quotes `\\n` is a line break."""
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _sandbox_key(secrets: Path, setting: Setting) -> str:
    return kept(secrets, "sandbox-" + setting.name.lower().replace("_", "-"), setting.stand_in)
