"""What an approval is bound to."""

from somos.modules.sdr.rules.approvals import content_hash
from somos.modules.sdr.tables.messages import OutreachMessage
from somos.modules.sdr.tables.senders import Sender


def hash_of(message: OutreachMessage, sender: Sender) -> str:
    """The fingerprint of what would leave now."""
    return content_hash(
        to=message.to_address or str(message.lead_id),
        channel=message.channel,
        sender=f"{sender.id}|{sender.address}",
        subject=message.subject,
        text=message.text,
    )
