"""The second wall on real PostgreSQL: with the handler's own filter gone, nothing leaks and nothing is overwritten."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, delete, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from somos.mesh.database import Acting
from somos.mesh.dispatch import sqlstate
from somos.policy import rls
from somos.policy.matrix import Reach
from somos.policy.principals import Principal
from somos.policy.scopes import access, visible
from tests.policy import toys
from tests.policy.conftest import ACME, PEOPLE, RIVAL, PolicedDatabase
from tests.policy.toys import Approval, Deal, Invoice, Key, Line, Message, Note, Piece, SavedView, Stage, Template

ANA, BETO = PEOPLE["ana"], PEOPLE["beto"]


@contextmanager
def acting(engine: Engine, who: Principal | str) -> Iterator[Session]:
    """A transaction of that principal on the application's connection, undone afterwards."""
    principal = PEOPLE[who] if isinstance(who, str) else who
    with Session(engine, info={"acting": Acting(principal, "test")}) as db:
        yield db
        db.rollback()


def ids(db: Session, statement: Any) -> set[UUID]:
    return set(db.scalars(statement))


# -- the wall itself


def test_the_applications_role_can_bypass_nothing(policed: PolicedDatabase) -> None:
    with policed.engine.connect() as connection:
        found = connection.execute(
            text("select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user")
        ).one()
        assert tuple(found) == (False, False, False)
        owned = connection.execute(text("select count(*) from pg_class where relowner = current_user::regrole"))
        assert owned.scalar_one() == 0


@pytest.mark.parametrize("toy", toys.ALL, ids=lambda toy: toy.__tablename__)
def test_without_settings_nothing_is_visible(policed: PolicedDatabase, toy: type[Any]) -> None:
    with Session(policed.engine) as db:
        assert db.scalar(select(func.count()).select_from(toy)) == 0


@pytest.mark.parametrize("toy", toys.ALL, ids=lambda toy: toy.__tablename__)
def test_settings_of_an_earlier_transaction_open_nothing_later(policed: PolicedDatabase, toy: type[Any]) -> None:
    with policed.engine.connect() as connection:
        for name, value in Acting(PEOPLE["admin"], "test").settings().items():
            connection.execute(text("select set_config(:name, :value, true)"), {"name": name, "value": value})
        connection.commit()
        assert connection.execute(select(func.count()).select_from(toy)).scalar_one() == 0


def test_the_tables_owner_is_bound_too(policed: PolicedDatabase) -> None:
    with policed.owner.connect() as connection:
        owned = text("select relowner = current_user::regrole from pg_class where relname = 'deals'")
        assert connection.execute(owned).scalar_one()
        assert connection.execute(select(func.count()).select_from(Deal)).scalar_one() == 0


@pytest.mark.parametrize("role", ["Dono", "ADMIN", "admin", "", "system "])
def test_a_role_that_nobody_knows_sees_nothing(policed: PolicedDatabase, role: str) -> None:
    with Session(policed.engine) as db:
        db.execute(text("select set_config('somos.role', :role, true)"), {"role": role})
        db.execute(text("select set_config('somos.user_id', :id, true)"), {"id": str(ANA.id)})
        assert db.scalar(select(func.count()).select_from(Deal)) == 0


# -- scopes and row security are one


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("toy", toys.ALL, ids=lambda toy: toy.__tablename__)
def test_the_database_shows_exactly_what_the_handlers_filter_shows(
    policed: PolicedDatabase, toy: type[Any], who: str
) -> None:
    with acting(policed.engine, "system") as db:
        filtered = ids(db, visible(PEOPLE[who], toy).with_only_columns(toy.id))
    with acting(policed.engine, who) as db:
        assert ids(db, select(toy.id)) == filtered
        assert db.scalar(select(func.count()).select_from(toy)) == len(filtered)


@pytest.mark.parametrize(
    ("toy", "counts"),
    [
        (Deal, {"admin": 6, "diretor": 6, "ana": 2, "beto": 1, "agente": 6, "acme": 0, "system": 6, "anonymous": 0}),
        (Note, {"admin": 7, "ana": 2, "beto": 1, "agente": 7, "acme": 0}),
        (Line, {"admin": 7, "ana": 2, "beto": 1, "acme": 0}),
        (Stage, {"admin": 2, "ana": 2, "agente": 2, "acme": 0}),
        (SavedView, {"admin": 7, "ana": 8, "beto": 7, "diretor": 6, "acme": 0, "system": 12}),
        (Message, {"admin": 6, "ana": 6, "agente": 6, "chave": 6, "acme": 0}),
        (Invoice, {"admin": 4, "diretor": 4, "ana": 0, "agente": 0, "acme": 2, "rival": 1, "sem_empresa": 0}),
        (Piece, {"admin": 15, "ana": 15, "agente": 15, "acme": 7, "rival": 5, "sem_empresa": 0}),
        (Template, {"admin": 2, "ana": 2, "acme": 0}),
        (Key, {"admin": 2, "diretor": 0, "ana": 0, "agente": 0, "acme": 0}),
    ],
    ids=lambda value: getattr(value, "__tablename__", ""),
)
def test_each_person_counts_this_many_rows(policed: PolicedDatabase, toy: type[Any], counts: dict[str, int]) -> None:
    found = {}
    for who in counts:
        with acting(policed.engine, who) as db:
            found[who] = db.scalar(select(func.count()).select_from(toy))
    assert found == counts


# -- a forgotten filter, in every form a query has


def test_a_seller_who_asks_for_everything_gets_only_own(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        assert {deal.owner_id for deal in db.scalars(select(Deal))} == {ANA.id}
        assert db.get(Deal, _a_deal_of(policed, BETO)) is None
        assert db.scalar(select(Deal).where(Deal.owner_id == BETO.id)) is None
        assert db.scalar(select(Deal).where(Deal.owner_id.is_(None))) is None, "unassigned is nobody's"


def test_totals_groups_and_windows_count_only_own(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        assert db.scalar(select(func.sum(Deal.cents))) == 11
        assert db.scalar(select(func.max(Deal.cents))) == 10
        groups = db.execute(select(Deal.owner_id, func.count()).group_by(Deal.owner_id)).all()
        assert [tuple(group) for group in groups] == [(ANA.id, 2)]
        ranks = db.execute(select(Deal.id, func.count().over())).all()
        assert [rank[1] for rank in ranks] == [2, 2]


def test_joins_unions_sub_selects_and_searches_find_only_own(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        joined = db.execute(select(Line.cents, Deal.owner_id).join(Note, Note.id == Line.note_id).join(Deal)).all()
        assert {owner for _, owner in joined} == {ANA.id}
        assert len(joined) == 2
        outer = db.execute(select(Note.id, Deal.id).join(Deal, isouter=True)).all()
        assert len(outer) == 2
        assert len(ids(db, select(Deal.id).where(Deal.name.ilike("%negócio%")))) == 2
        everyone = select(Deal.id).union_all(select(Note.id)).subquery()
        assert db.scalar(select(func.count()).select_from(everyone)) == 4
        hidden = _a_deal_of(policed, BETO)
        assert db.scalar(select(literal(1)).where(select(Deal).where(Deal.id == hidden).exists())) is None
        assert db.scalar(text("select count(*) from crm.deals where name like '%negócio%'")) == 2
        assert db.scalar(text("with d as (select * from crm.deals) select sum(cents) from d")) == 11


def test_a_client_finds_its_own_company_and_no_other(policed: PolicedDatabase) -> None:
    for who, company in (("acme", ACME), ("rival", RIVAL)):
        with acting(policed.engine, who) as db:
            assert {invoice.company_id for invoice in db.scalars(select(Invoice))} == {company}
    with acting(policed.engine, "rival") as db:
        assert db.scalar(select(func.sum(Invoice.cents))) == 7


def test_a_query_cannot_read_hidden_rows_through_an_error_or_a_function_of_its_own(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        # Beto's deal is worth 100: were the division done on hidden rows first, its failure would tell of it.
        assert len(db.scalars(text("select 1 / (cents - 100) from crm.deals")).all()) == 2
        assert db.scalar(text("select count(*) from crm.deals where 1 / (cents - 100) = 0")) == 2


# -- writing


@pytest.mark.parametrize("who", [who for who in PEOPLE if who != "anonymous"])
@pytest.mark.parametrize("toy", toys.ALL, ids=lambda toy: toy.__tablename__)
def test_who_may_not_write_a_table_changes_deletes_and_adds_nothing(
    policed: PolicedDatabase, toy: type[Any], who: str
) -> None:
    if access(toy, PEOPLE[who].role, "write") is not Reach.none:
        return
    with acting(policed.engine, who) as db:
        assert db.execute(update(toy).values(name="tomado")).rowcount == 0  # type: ignore[attr-defined]
        assert db.execute(delete(toy)).rowcount == 0  # type: ignore[attr-defined]
        with pytest.raises(DBAPIError) as refused:
            db.execute(insert(toy).values(id=uuid4(), **_mine(toy, PEOPLE[who])))
        assert sqlstate(refused.value) == "42501"


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("toy", toys.ALL, ids=lambda toy: toy.__tablename__)
def test_a_write_without_a_filter_touches_only_rows_the_matrix_lets_one_write(
    policed: PolicedDatabase, toy: type[Any], who: str
) -> None:
    how = access(toy, PEOPLE[who].role, "write")
    with acting(policed.engine, who) as db:
        changed = db.execute(update(toy).values(name="mudado")).rowcount  # type: ignore[attr-defined]
        seen = db.scalar(select(func.count()).select_from(toy))
        touched = db.scalar(select(func.count()).select_from(toy).where(toy.name == "mudado"))
        assert changed == touched
        if how is Reach.all:
            assert changed == seen
        if how is Reach.own and "owner_id" in toy.__table__.c:
            owners = {row.owner_id for row in db.scalars(select(toy).where(toy.name == "mudado"))}
            assert owners <= {PEOPLE[who].id}


def test_a_seller_adds_own_rows_and_nobody_elses(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        deal = Deal(owner_id=ANA.id)
        db.add(deal)
        db.flush()
        db.add(Note(deal_id=deal.id))
        db.flush()
    for owner in (BETO.id, None):
        with acting(policed.engine, "ana") as db, pytest.raises(DBAPIError, match="row-level security"):
            db.execute(insert(Deal).values(id=uuid4(), name="", cents=0, owner_id=owner))


def test_a_seller_can_neither_take_nor_give_away_a_deal(policed: PolicedDatabase) -> None:
    theirs = _a_deal_of(policed, BETO)
    with acting(policed.engine, "ana") as db:
        assert db.execute(update(Deal).where(Deal.id == theirs).values(owner_id=ANA.id)).rowcount == 0  # type: ignore[attr-defined]
        with pytest.raises(DBAPIError, match="row-level security"):
            db.execute(update(Deal).values(owner_id=BETO.id))


def test_a_note_cannot_be_hung_on_somebody_elses_deal(policed: PolicedDatabase) -> None:
    theirs = _a_deal_of(policed, BETO)
    with acting(policed.engine, "ana") as db, pytest.raises(DBAPIError, match="row-level security"):
        db.execute(insert(Note).values(id=uuid4(), name="", cents=0, deal_id=theirs))
    with acting(policed.engine, "ana") as db, pytest.raises(DBAPIError, match="row-level security"):
        db.execute(update(Note).values(deal_id=theirs))


def test_an_upsert_cannot_reach_a_hidden_row(policed: PolicedDatabase) -> None:
    from sqlalchemy.dialects.postgresql import insert as upsert

    theirs = _a_deal_of(policed, BETO)
    statement = upsert(Deal).values(id=theirs, name="meu", cents=1, owner_id=ANA.id)
    with acting(policed.engine, "ana") as db, pytest.raises(DBAPIError, match="row-level security"):
        db.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"owner_id": ANA.id}))


def test_a_row_cannot_be_locked_by_who_may_not_write_it(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        assert {m.owner_id for m in db.scalars(select(Message).with_for_update())} == {ANA.id}
        assert len(db.scalars(select(Message)).all()) == 6


def test_an_approval_is_written_by_people_who_approve_and_by_no_agent_or_key(policed: PolicedDatabase) -> None:
    for who in ("agente", "chave", "ana", "acme"):
        with acting(policed.engine, who) as db, pytest.raises(DBAPIError, match="row-level security"):
            db.execute(insert(Approval).values(id=uuid4(), name="", cents=0))
    for who in ("admin", "diretor"):
        with acting(policed.engine, who) as db:
            db.execute(insert(Approval).values(id=uuid4(), name="", cents=0))


def test_an_agent_drafts_messages_and_cannot_touch_the_pipeline(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "agente") as db:
        db.execute(insert(Message).values(id=uuid4(), name="rascunho", cents=0))
        assert db.execute(update(Deal).values(name="meu")).rowcount == 0  # type: ignore[attr-defined]


def test_a_seller_answers_in_own_conversations_only(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        db.execute(insert(Message).values(id=uuid4(), name="resposta", cents=0, owner_id=ANA.id))
    with acting(policed.engine, "ana") as db, pytest.raises(DBAPIError, match="row-level security"):
        db.execute(insert(Message).values(id=uuid4(), name="resposta", cents=0, owner_id=BETO.id))


def test_a_client_decides_on_its_own_pieces_only(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "acme") as db:
        db.execute(update(Piece).values(name="aprovado"))
        decided = db.scalars(select(Piece).where(Piece.name == "aprovado")).all()
        assert {piece.company_id == ACME or piece.owner_id == PEOPLE["acme"].id for piece in decided} == {True}
        assert len(decided) == 7


def test_not_even_an_admin_changes_somebody_elses_private_view(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "admin") as db:
        assert db.execute(update(SavedView).values(name="x")).rowcount == 2  # type: ignore[attr-defined]


# -- the statements


def test_a_narrower_scope_takes_effect_when_the_statements_run_again(
    policed: PolicedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stage, "__scope__", toys.Everyone(readers="crm.configure"))
    with policed.owner.connect() as connection:
        for statement in rls.table_statements(Stage):
            connection.execute(text(statement))
        for name, value in Acting(ANA, "test").settings().items():
            connection.execute(text("select set_config(:name, :value, true)"), {"name": name, "value": value})
        assert connection.execute(select(func.count()).select_from(Stage)).scalar_one() == 0
        connection.rollback()


def test_settings_are_read_once_per_statement_not_once_per_row(policed: PolicedDatabase) -> None:
    with acting(policed.engine, "ana") as db:
        plan = "\n".join(db.scalars(text("explain (verbose) select * from crm.deals")))
    scan = plan.partition("InitPlan")[0]
    assert "InitPlan" in plan
    assert "current_setting" not in scan


def _a_deal_of(policed: PolicedDatabase, who: Principal) -> UUID:
    with acting(policed.engine, "system") as db:
        found = db.scalar(select(Deal.id).where(Deal.owner_id == who.id))
    assert found is not None
    return found


def _mine(toy: type[Any], who: Principal) -> dict[str, Any]:
    """The values that would make the row one's own, were writing allowed."""
    values: dict[str, Any] = {"name": "", "cents": 0}
    if "owner_id" in toy.__table__.c:
        values["owner_id"] = who.id
    if "company_id" in toy.__table__.c:
        values["company_id"] = who.client_company_id
    if "shared" in toy.__table__.c:
        values["shared"] = False
    return values
