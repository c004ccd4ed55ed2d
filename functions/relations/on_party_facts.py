"""What other modules state of companies and people, kept so that all of them can ask it here."""

from somos.events.crm import PartiesRestated
from somos.events.sdr import MessageSent, PersonErased, PersonSuppressed
from somos.mesh import Context, topic
from somos.modules.relations.actions import addresses, parties


@topic(PartiesRestated)
def on_parties_restated(event: PartiesRestated, ctx: Context) -> None:
    with ctx.write() as db:
        parties.learn(db, event)


@topic(MessageSent)
def on_message_sent(event: MessageSent, ctx: Context) -> None:
    with ctx.write() as db:
        if event.left_at is not None:
            addresses.contacted(db, event.keys, event.left_at)


@topic(PersonSuppressed)
def on_person_suppressed(event: PersonSuppressed, ctx: Context) -> None:
    with ctx.write() as db:
        addresses.suppressed(db, event.person_key)


@topic(PersonErased)
def on_person_erased(event: PersonErased, ctx: Context) -> None:
    with ctx.write() as db:
        addresses.forget(db, event.keys)
