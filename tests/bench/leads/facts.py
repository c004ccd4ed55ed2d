"""What the measured functions tell one another."""

from uuid import UUID

from somos.mesh import Event


class Seen(Event):
    lead_id: UUID


class Enriched(Event):
    lead_id: UUID


class Scored(Event):
    lead_id: UUID


class Written(Event):
    lead_id: UUID


class Probed(Event):
    probe_id: UUID
