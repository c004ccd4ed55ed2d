"""What outreach states of people: late or twice, it changes nothing; erased, it is forgotten."""

from datetime import timedelta

from somos.events.sdr import MessageSent, PersonErased, PersonSuppressed
from somos.kernel.keys import PersonKeys
from somos.mesh.ids import uuid7
from somos.modules.relations.queries.addresses import Person, person_of, suppressed_among
from tests.harness.mesh import Mesh

ANA = PersonKeys("+5511987654321", "ana@horizonte-exemplo.com.br")
BIA = PersonKeys("+5511955550102")


def hashes(mesh: Mesh, person: PersonKeys) -> tuple[str, ...]:
    return tuple(person.hashes(mesh.runtime.settings.suppression_key))


def sent(mesh: Mesh, person: PersonKeys, days_ago: int) -> MessageSent:
    left_at, keys = mesh.time - timedelta(days=days_ago), hashes(mesh, person)
    return MessageSent(message_id=uuid7(), lead_id=uuid7(), channel="whatsapp", keys=keys, left_at=left_at)


def asked(mesh: Mesh, person: PersonKeys) -> Person:
    with mesh.db() as db:
        return person_of(db, person)


def test_the_last_contact_is_the_newest_in_whatever_order_it_is_told(mesh: Mesh) -> None:
    for days_ago in (9, 2, 5, 2):
        mesh.state(sent(mesh, ANA, days_ago))
        mesh.drain()
    assert asked(mesh, ANA) == Person(False, mesh.time - timedelta(days=2))
    assert asked(mesh, PersonKeys(email=ANA.email)) == asked(mesh, PersonKeys("+551187654321")) == asked(mesh, ANA)
    assert asked(mesh, BIA) == Person(False, None)


def test_who_asked_to_be_left_alone_is_known_by_any_address(mesh: Mesh) -> None:
    for _ in range(2):
        mesh.state(*(PersonSuppressed(person_key=key) for key in hashes(mesh, ANA)))
        mesh.drain()
    assert asked(mesh, ANA) == asked(mesh, PersonKeys(email=ANA.email)) == Person(True, None)
    with mesh.db() as db:
        assert suppressed_among(db, [ANA, BIA]) == {ANA}


def test_of_an_erased_person_only_the_wish_to_be_left_alone_stays(mesh: Mesh) -> None:
    mesh.state(sent(mesh, ANA, 1), sent(mesh, BIA, 1), PersonSuppressed(person_key=hashes(mesh, ANA)[0]))
    mesh.drain()
    mesh.state(*(PersonErased(keys=list(hashes(mesh, person))) for person in (ANA, BIA)))
    mesh.drain()
    assert asked(mesh, ANA) == Person(True, None)
    assert mesh.one("select count(*) from relations.addresses") == 1
