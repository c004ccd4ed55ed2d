"""Tells other modules what companies and contacts are to us."""

from itertools import islice
from typing import Final
from uuid import UUID

from somos.events.crm import PartiesRestated
from somos.mesh import Context
from somos.modules.crm.queries.parties import parties_of

_AT_ONCE: Final = 200


def restate(ctx: Context, *ids: UUID | None) -> None:
    """State these companies and contacts anew: their keys, their deals or who employs whom changed.

    The last thing that an action does, once, and not inside `ctx.as_system()`: whoever changes something of the same
    party meanwhile waits until this transaction ends, and states it after it.
    """
    changed = sorted({id for id in ids if id is not None})
    if not changed:
        return
    with ctx.as_system() as db:  # deals of others count too
        ctx.lock("crm.party", map(str, changed))
        number = ctx.next_number()
        parties = parties_of(db, changed, ctx.settings.suppression_key)
        while stated := list(islice(parties, _AT_ONCE)):
            ctx.emit(PartiesRestated(number=number, parties=stated))
