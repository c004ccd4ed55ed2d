"""A database of its own with toy tables under derived row security, and the people who look at it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from somos.mesh.database import engine_for
from somos.policy import rls
from somos.policy.principals import ANONYMOUS, SYSTEM, Kind, Principal
from somos.policy.roles import Role
from tests.harness import services
from tests.policy import toys
from tests.policy.toys import Approval, Deal, Invoice, Key, Line, Message, Note, Piece, SavedView, Stage, Template

ACME, RIVAL = uuid4(), uuid4()


def person(role: Role, company: UUID | None = None) -> Principal:
    return Principal(uuid4(), role, Kind.user, role.value, "s", company)


PEOPLE: dict[str, Principal] = {
    "admin": person(Role.Admin),
    "diretor": person(Role.Diretor),
    "ana": person(Role.Comercial),
    "beto": person(Role.Comercial),
    "agente": Principal(uuid4(), Role.Agente_IA, Kind.agent, "agente"),
    "chave": Principal(uuid4(), Role.Agente_IA, Kind.api_key, "chave", scopes=frozenset({"sdr:write"})),
    "acme": person(Role.Cliente, ACME),
    "rival": person(Role.Cliente, RIVAL),
    "sem_empresa": person(Role.Cliente),
    "system": SYSTEM,
    "anonymous": ANONYMOUS,
}


@dataclass(frozen=True)
class PolicedDatabase:
    """The application's connection to the toys, and the owner's."""

    engine: Engine
    owner: Engine


@pytest.fixture(scope="session")
def policed(worker_number: int) -> Iterator[PolicedDatabase]:
    """Made once; each test rolls back."""
    name = f"somos_policy_gw{worker_number}"
    owner_url, app_url = os.environ[services.OWNER], os.environ[services.APP]
    admin = engine_for(owner_url, pool_size=1)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"drop database if exists {name} with (force)"))
        connection.execute(text(f"create database {name}"))
    admin.dispose()
    owner, engine = (engine_for(_of(url, name)) for url in (owner_url, app_url))
    with owner.begin() as connection:
        protect(connection, make_url(app_url).username or "")
    with owner.begin() as connection:
        connection.execute(text("select set_config('somos.role', 'system', true)"))
        fill(connection)
    yield PolicedDatabase(engine, owner)
    engine.dispose()
    owner.dispose()


def _of(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def protect(connection: Connection, app_role: str) -> None:
    schemas = sorted({str(toy.__table__.schema) for toy in toys.ALL})
    for schema in schemas:
        connection.execute(text(f"create schema {schema}"))
    toys.Toys.metadata.create_all(connection)
    for schema in schemas:
        connection.execute(text(f'grant usage on schema {schema} to "{app_role}"'))
        connection.execute(text(f'grant all on all tables in schema {schema} to "{app_role}"'))
    for _ in range(2):  # twice: the statements can be repeated
        for statement in rls.statements(toys.Toys):
            connection.execute(text(statement))


def fill(connection: Connection) -> None:
    """Rows of everybody and of nobody, in every table."""
    owners = [PEOPLE["ana"].id, PEOPLE["ana"].id, PEOPLE["beto"].id, PEOPLE["acme"].id, PEOPLE["admin"].id, None]
    companies = [ACME, ACME, RIVAL, None]
    deals = [Deal(id=uuid4(), name=f"negócio {n}", cents=10**n, owner_id=owner) for n, owner in enumerate(owners)]
    notes = [Note(id=uuid4(), name="nota", cents=deal.cents, deal_id=deal.id) for deal in deals] + [
        Note(id=uuid4(), name="solta", deal_id=None)
    ]
    lines = [Line(id=uuid4(), cents=note.cents, note_id=note.id) for note in notes]
    views = [SavedView(id=uuid4(), owner_id=owner, shared=shared) for owner in owners for shared in (True, False)]
    messages = [Message(id=uuid4(), owner_id=owner) for owner in owners]
    invoices = [Invoice(id=uuid4(), company_id=company, cents=7) for company in companies]
    pieces = [
        Piece(id=uuid4(), owner_id=owner, company_id=company) for owner in owners[1:] for company in companies[1:]
    ]
    rest = [made(id=uuid4()) for made in (Stage, Approval, Template, Key) for _ in range(2)]
    with Session(connection, join_transaction_mode="create_savepoint") as db:
        db.add_all([*deals, *views, *messages, *invoices, *pieces, *rest])
        db.flush()
        db.add_all(notes)
        db.flush()
        db.add_all(lines)
        db.commit()
