"""What a provider gives back for a message it took."""

from somos.ports.port import Value


class Sent(Value):
    """`provider_id` is how its receipts will name the message."""

    provider_id: str
