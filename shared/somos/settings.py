"""Configuration from the environment; secrets also from files, as OpenFaaS and Knative mount them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECRETS = Path("/var/openfaas/secrets")


@dataclass(frozen=True)
class Settings:
    """Everything a process may be told. Empty means not configured; `wiring` says who needs what."""

    database_url: str = ""
    database_owner_url: str = ""
    redis_url: str = ""
    gateway_url: str = "http://127.0.0.1:8080"

    evolution_url: str = ""
    evolution_api_key: str = field(default="", repr=False)
    evolution_webhook_token: str = field(default="", repr=False)
    evolution_instance: str = "somos"
    resend_url: str = ""
    resend_api_key: str = field(default="", repr=False)
    resend_webhook_secret: str = field(default="", repr=False)
    serpapi_url: str = ""
    serpapi_key: str = field(default="", repr=False)
    openai_base_url: str = ""
    openai_api_key: str = field(default="", repr=False)
    openai_model: str = "gpt-6-luna"
    cnpj_url: str = ""
    sites_proxy: str = ""

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

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read `NAME` or `SOMOS_NAME` from the environment, else the secret file `name-with-dashes`."""
        found = os.environ if environment is None else environment
        values: dict[str, object] = {}
        for name, spec in cls.__dataclass_fields__.items():
            raw = found.get(name.upper()) or found.get(f"SOMOS_{name.upper()}") or _secret_file(name)
            if raw:
                values[name] = spec.type(raw) if isinstance(spec.type, type) else raw
        return cls(**values)  # type: ignore[arg-type]


def _secret_file(name: str) -> str:
    path = SECRETS / name.replace("_", "-")
    return path.read_text().strip() if path.is_file() else ""
