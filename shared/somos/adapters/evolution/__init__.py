"""WhatsApp through Evolution API v2."""

from typing import TYPE_CHECKING

from somos.adapters.provider import Adapter, Provider, Setting, address, secret

if TYPE_CHECKING:
    from somos.adapters.outside import Outside
    from somos.ports.webhook_sender import WebhookSender
    from somos.ports.whatsapp import Whatsapp, WhatsappReports

URL = address("EVOLUTION_URL", sandbox="/evolution")
KEY = secret("EVOLUTION_API_KEY")
TOKEN = secret("EVOLUTION_WEBHOOK_TOKEN")
INSTANCE = Setting("EVOLUTION_INSTANCE", default="somos", required=False)


def _whatsapp(outside: "Outside") -> "Whatsapp":
    from somos.adapters.evolution.whatsapp import Evolution

    return Evolution(outside.client(URL, {"apikey": outside.value(KEY)}), outside.value(INSTANCE))


def _reports(_: "Outside") -> "WhatsappReports":
    from somos.adapters.evolution.reports import EvolutionReports

    return EvolutionReports()


def _webhooks(outside: "Outside") -> "WebhookSender":
    from somos.adapters.evolution.webhooks import EvolutionWebhooks

    return EvolutionWebhooks(outside.value(TOKEN), outside.clock)


PROVIDER = Provider(
    "evolution",
    {
        "somos.ports.whatsapp.Whatsapp": Adapter(_whatsapp, (URL, KEY, INSTANCE)),
        "somos.ports.whatsapp.WhatsappReports": Adapter(_reports, asks=False),
    },
    webhooks=Adapter(_webhooks, (TOKEN,)),
)
