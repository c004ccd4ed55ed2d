"""E-mail through Resend, whose webhooks are signed as Svix does."""

import base64
import binascii
import secrets
from typing import TYPE_CHECKING

from somos.adapters.provider import Adapter, Provider, Rate, address, secret

if TYPE_CHECKING:
    from somos.adapters.outside import Outside
    from somos.ports.email import Email, EmailReports
    from somos.ports.webhook_sender import WebhookSender


def signing_key(value: str) -> bytes:
    """The bytes behind `whsec_...`; empty when it is not one. Padding may be missing."""
    encoded = value.strip().removeprefix("whsec_")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _bad_signing_key(value: str) -> str | None:
    return None if signing_key(value) else "não é um segredo de webhook (whsec_ e base64)."


def _new_signing_key() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


URL = address("RESEND_URL", sandbox="/resend")
KEY = secret("RESEND_API_KEY")
WEBHOOK_SECRET = secret("RESEND_WEBHOOK_SECRET", _bad_signing_key, _new_signing_key)


def _email(outside: "Outside") -> "Email":
    from somos.adapters.resend.email import Resend

    return Resend(outside.client(URL, {"Authorization": f"Bearer {outside.value(KEY)}"}))


def _reports(_: "Outside") -> "EmailReports":
    from somos.adapters.resend.reports import ResendReports

    return ResendReports()


def _webhooks(outside: "Outside") -> "WebhookSender":
    from somos.adapters.resend.webhooks import ResendWebhooks

    return ResendWebhooks(outside.value(WEBHOOK_SECRET), outside.clock)


PROVIDER = Provider(
    "resend",
    {
        "somos.ports.email.Email": Adapter(_email, (URL, KEY)),
        "somos.ports.email.EmailReports": Adapter(_reports, asks=False),
    },
    webhooks=Adapter(_webhooks, (WEBHOOK_SECRET,)),
    rate=Rate(5, 1.0),
)
