"""What was due to functions that were gathered into one finds that one."""

from importlib import import_module

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from somos.mesh import clock
from somos.mesh.database import engine_for
from somos.mesh.ids import uuid7

REVISION = import_module("somos.migrations.versions.sdr.sdr_0006_rename_who_takes_what_is_still_due")
PUT = text(
    "insert into mesh.deliveries (id, event_id, type, function, queue, state, due_at, timeout, max_attempts) "
    "values (:id, :event_id, :type, :function, 'default', :state, :now, 30, 8)"
)


def takers(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("select type || ' ' || state as what, function from mesh.deliveries"))
    return {row.what: row.function for row in rows}


def test_deliveries_under_the_names_of_before_are_taken_by_the_functions_of_now(database_urls: tuple[str, str]) -> None:
    due = [
        ("crm.deal_opened", "sdr-on-deal-opened", "due"),
        ("hunter.lead_erased", "sdr-on-lead-erased", "dead"),
        ("sdr.message_approved", "sdr-on-message-approved", "due"),
        ("sdr.message_approved", "sdr-on-message-approved", "done"),
        ("sdr.message_claimed", "sdr-on-message-claimed", "due"),
    ]
    engine = engine_for(database_urls[1], pool_size=1)
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("delete from mesh.deliveries"))
        for type_, function, state in due:
            row = {"id": uuid7(), "event_id": uuid7(), "type": type_, "function": function, "state": state}
            connection.execute(PUT, {**row, "now": clock.now()})
        before = takers(connection)
        with Operations.context(MigrationContext.configure(connection)):
            REVISION.upgrade()
            assert takers(connection) == {
                "crm.deal_opened due": "sdr-on-person-facts",
                "hunter.lead_erased dead": "sdr-on-person-facts",
                "sdr.message_approved due": "sdr-on-message-facts",
                "sdr.message_approved done": "sdr-on-message-approved",
                "sdr.message_claimed due": "sdr-on-message-claimed",
            }
            REVISION.downgrade()
        assert takers(connection) == before
        transaction.rollback()
    engine.dispose()
