"""Identifiers: UUIDv7, so that ids sort by creation and indexes stay dense."""

from uuid import UUID, uuid5

import uuid_utils.compat

NAMESPACE = UUID("6f1d3c1e-5a0b-5f6e-9c57-50a05c0de000")


def uuid7() -> UUID:
    return uuid_utils.compat.uuid7()


def stable(*parts: object) -> UUID:
    """The same id for the same parts: what arrives twice collides with itself."""
    return uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts))
