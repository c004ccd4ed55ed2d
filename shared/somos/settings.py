"""Configuration from the environment; secrets also from files, as OpenFaaS and Knative mount them."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECRETS = Path("/var/openfaas/secrets")


@dataclass(frozen=True)
class Settings:
    """What the runtime itself may be told; empty means not configured. What a provider needs is declared beside its
    adapter, and read from `outside` by the names declared there."""

    database_url: str = ""
    database_owner_url: str = ""
    redis_url: str = ""
    gateway_url: str = "http://127.0.0.1:8080"

    jwt_private_key: str = field(default="", repr=False)
    jwt_public_key: str = ""
    mesh_secret: str = field(default="", repr=False)
    suppression_key: str = field(default="", repr=False)

    public_url: str = "http://127.0.0.1:8080"
    # Which derived placement is deployed, and where its units are ({gateway}, {unit} and {function} are filled in).
    placement: str = ""
    function_url: str = "{gateway}/function/{unit}"
    units_file: str = str(ROOT / "gateway" / "units.json")
    routes_file: str = str(ROOT / "gateway" / "routes.json")
    pool_size: int = 8
    prepared_statements: int = 0  # per connection; more than none only where no pooler of transactions stands between
    backoff_scale: float = 1.0
    bcrypt_cost: int = 12
    log_level: str = "INFO"

    outside: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read `NAME` or `SOMOS_NAME` from the environment, else the secret file `name-with-dashes`."""
        given = _Given(os.environ if environment is None else environment)
        values: dict[str, object] = {}
        for name in cls.names():
            if raw := given.get(name.upper()):
                kind = cls.__dataclass_fields__[name].type
                values[name] = kind(raw) if isinstance(kind, type) else raw
        return cls(**values, outside=given)  # type: ignore[arg-type]

    @classmethod
    def names(cls) -> list[str]:
        """The runtime's own settings, in lower case."""
        return [name for name in cls.__dataclass_fields__ if name != "outside"]


class _Given(Mapping[str, str]):
    """The environment, and behind it the secret files; nothing that is empty."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        value = self._environment.get(name) or self._environment.get(f"SOMOS_{name}") or _secret_file(name)
        if not value:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)


def _secret_file(name: str) -> str:
    path = SECRETS / name.lower().replace("_", "-")
    return path.read_text().strip() if path.is_file() else ""
