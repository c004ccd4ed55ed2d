"""Addresses that are never written to again, and people who may be answered all the same."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from somos.mesh import Context
from somos.mesh.ids import uuid7
from somos.modules.sdr.queries.suppressions import asked_to_be_left_alone
from somos.modules.sdr.tables.responses import Response
from somos.modules.sdr.tables.suppressions import Reconsent, Suppression


def suppress(
    ctx: Context,
    keys: Iterable[tuple[str, str]],
    *,
    source: str,
    reach: str = "person",
    channel: str | None = None,
    response_id: UUID | None = None,
    message_id: UUID | None = None,
    reason: str | None = None,
    added_by: UUID | None = None,
) -> list[str]:
    """Never write to these (key, kind) again; the keys that were not suppressed before.

    The caller holds the person's lock. What they had agreed to meanwhile is revoked with it.
    """
    new: list[str] = []
    kinds = dict(keys)
    for key, kind in kinds.items():
        inserted = ctx.db.execute(
            insert(Suppression)
            .values(
                id=uuid7(),
                key=key,
                kind=kind,
                reach=reach,
                source=source,
                channel=channel,
                response_id=response_id,
                message_id=message_id,
                reason=reason,
                added_by=added_by,
                created_at=ctx.now,
            )
            .on_conflict_do_nothing(index_elements=["key", "reach"])
            .returning(Suppression.id)
        ).first()
        if inserted:
            new.append(key)
    if reach == "person":
        open_ones = select(Reconsent).where(Reconsent.key.in_(kinds), Reconsent.revoked_at.is_(None))
        for reconsent in ctx.db.scalars(open_ones):
            reconsent.revoked_at = ctx.now
    return new


def reconsent(ctx: Context, response: Response) -> None:
    """A suppressed person wrote to us by themselves and wants to talk: on that channel they may be answered."""
    if response.from_key is None or not asked_to_be_left_alone(ctx.db, [response.from_key]):
        return
    ctx.db.execute(
        insert(Reconsent)
        .values(
            id=uuid7(),
            key=response.from_key,
            channel=response.channel,
            response_id=response.id,
            quote=response.text[:500],
            at=ctx.now,
        )
        .on_conflict_do_nothing(index_elements=["response_id"])
    )
