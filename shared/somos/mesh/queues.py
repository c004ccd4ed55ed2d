"""The queues, each declared once: handlers name one of these, and workers, placement and the queues' page read them.

How many calls a provider takes a minute is declared with the provider (`rate`), and kept where the call is made:
several queues reach the same one.
"""

from dataclasses import dataclass

QUEUES: dict[str, "Queue"] = {}


@dataclass(frozen=True)
class Queue:
    """A kind of work. `width`: deliveries that each worker has under way at once."""

    name: str
    width: int = 8

    def __post_init__(self) -> None:
        if self.name in QUEUES:
            raise ValueError(f"the queue {self.name} is declared already")
        QUEUES[self.name] = self


DEFAULT = Queue("default")
WEBHOOKS = Queue("webhooks")
# Model calls and web pages: what mostly waits on others.
AGENTS = Queue("agents")
# What leaves the house, seldom and with pauses.
MESSAGES = Queue("messages", width=4)
