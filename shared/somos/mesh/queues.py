"""The queues, each declared once: handlers name one of these, and workers, placement and the queues' page read them.

How many calls a provider takes a minute is declared with the provider (`rate`), and kept where the call is made:
several queues reach the same one.
"""

from dataclasses import dataclass

QUEUES: dict[str, "Queue"] = {}


@dataclass(frozen=True)
class Queue:
    """A kind of work. `width`: calls that each worker has under way at once. `batch`: how many deliveries of one
    function that are due together go into one call, and there into one transaction; only for what calls nobody."""

    name: str
    width: int = 8
    batch: int = 1

    def __post_init__(self) -> None:
        if self.name in QUEUES:
            raise ValueError(f"the queue {self.name} is declared already")
        QUEUES[self.name] = self


DEFAULT = Queue("default")
WEBHOOKS = Queue("webhooks", width=2, batch=20)
# Reactions that only read and write the database.
FACTS = Queue("facts", width=4, batch=20)
# Model calls and web pages: what mostly waits on others.
AGENTS = Queue("agents")
# What leaves the house, seldom and with pauses.
MESSAGES = Queue("messages", width=4)
