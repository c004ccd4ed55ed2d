"""What the sandbox is told from outside: keys, where webhooks go, how fast time runs."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "sandbox"})


@dataclass(slots=True)
class Config:
    """Keys use the names the product uses, so one environment configures both sides."""

    serpapi_key: str = "sandbox-serpapi-key"
    evolution_api_key: str = "sandbox-evolution-key"
    resend_api_key: str = "re_sandbox_key"
    openai_api_key: str = "sk-sandbox-key"
    # Where the default WhatsApp instances and the default Resend endpoint report; empty = nobody listens yet.
    whatsapp_webhook_url: str = ""
    email_webhook_url: str = ""
    evolution_webhook_token: str = "sandbox-evolution-token"
    resend_webhook_secret: str = "whsec_c2FuZGJveC13ZWJob29rLXNlY3JldC0wMDAx"
    instances: tuple[str, ...] = ("somos", "comercial")
    own_names: frozenset[str] = OWN_NAMES
    # One step of what happens after a message leaves: sent, delivered, read, answered.
    delay_ms: int = 20
    # Multiplies the providers' own waits (webhook retries, Evolution's typing delay).
    time_scale: float = 0.1
    webhook_timeout_s: float = 15.0
    slow_site_ms: int = 3000
    # Resend's real limit is 5 requests a second for a team; 0 = announced in the headers but not enforced.
    resend_per_second: int = 0
    serpapi_searches: int = 5000
    seed: int | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the names listed in the README; `GATEWAY_URL` alone is enough to wire every webhook."""
        gateway = env.get("GATEWAY_URL", "").rstrip("/")
        values: dict[str, Any] = {}
        if gateway:
            values["whatsapp_webhook_url"] = f"{gateway}/webhook/whatsapp"
            values["email_webhook_url"] = f"{gateway}/webhook/email"
        for name in (
            "SERPAPI_KEY", "EVOLUTION_API_KEY", "EVOLUTION_WEBHOOK_TOKEN",
            "RESEND_API_KEY", "RESEND_WEBHOOK_SECRET", "OPENAI_API_KEY",
        ):  # fmt: skip
            if env.get(name):
                values[name.lower()] = env[name]
        for name, value in env.items():
            if name.startswith("SANDBOX_") and value:
                values[name.removeprefix("SANDBOX_").lower()] = value
        config = cls()
        config.update(values)
        return config

    def update(self, values: Mapping[str, Any]) -> list[str]:
        """Take over the values whose names are known, read as text where need be; answers those names."""
        taken = [f.name for f in fields(self) if f.name in values]
        for name in taken:
            value, current = values[name], getattr(self, name)
            if isinstance(current, tuple | frozenset):
                parts = value.split(",") if isinstance(value, str) else value
                value = type(current)(part.strip() for part in parts if part.strip())
            elif isinstance(current, int | float):
                value = type(current)(value)
            elif name == "seed" and value is not None:
                value = int(value)
            setattr(self, name, value)
        self.own_names |= OWN_NAMES
        return taken
