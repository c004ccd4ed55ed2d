"""Scopes on paper: what a declaration means for each role, and what a wrong one says."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, MetaData, Table, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from somos.policy import rls
from somos.policy.matrix import Reach
from somos.policy.principals import ANONYMOUS, SYSTEM, Kind, Principal
from somos.policy.roles import Role
from somos.policy.scopes import Client, Everyone, Own, Scope, ScopeError, Via, access, visible


class Base(DeclarativeBase):
    metadata = MetaData()


def table(name: str, schema: str, scope: Scope | None, base: type[DeclarativeBase] = Base) -> type[Any]:
    """A mapped class with every column that a scope may name."""
    body: dict[str, Any] = {
        "__tablename__": name,
        "__table_args__": {"schema": schema},
        "__annotations__": {
            "id": Mapped[UUID],
            "owner_id": Mapped[UUID | None],
            "company_id": Mapped[UUID | None],
            "parent_id": Mapped[UUID | None],
            "shared": Mapped[bool],
        },
        "id": mapped_column(primary_key=True),
    }
    if scope is not None:
        body["__scope__"] = scope
    return type(name.title(), (base,), body)


Deal = table("deals", "crm", Own("owner_id"))
Note = table("notes", "crm", Via(Deal, "parent_id"))
Stage = table("stages", "crm", Everyone(writers="crm.configure"))
SavedView = table("saved_views", "crm", Own("owner_id", private=True, shared="shared"))
Mark = table("marks", "crm", Via(SavedView, "parent_id"))
Message = table("messages", "sdr", Own("owner_id", also=("conversation.reply",)))
Approval = table("approvals", "sdr", Everyone(writers="outreach.approve"))
Project = table("projects", "projects", Client("company_id"))
Category = table("categories", "projects", Everyone())
Price = table("prices", "projects", Everyone(clients=True))
Piece = table("pieces", "content", Own("owner_id") | Client("company_id", also=("content.approve",)))
Key = table("keys", "auth", Everyone(readers="api_key.manage", writers="api_key.manage"))


@pytest.mark.parametrize(
    ("where", "role", "read", "write"),
    [
        (Deal, Role.Admin, Reach.all, Reach.all),
        (Deal, Role.Comercial, Reach.own, Reach.own),
        (Deal, Role.Agente_IA, Reach.all, Reach.none),
        (Deal, Role.Cliente, Reach.none, Reach.none),
        (Deal, Role.anonymous, Reach.none, Reach.none),
        (Deal, Role.system, Reach.all, Reach.all),
        (Stage, Role.Comercial, Reach.own, Reach.none),
        (Stage, Role.Diretor, Reach.all, Reach.all),
        (SavedView, Role.Admin, Reach.own, Reach.own),
        (SavedView, Role.system, Reach.all, Reach.all),
        (Mark, Role.Admin, Reach.own, Reach.own),
        (Message, Role.Comercial, Reach.all, Reach.own),
        (Message, Role.Agente_IA, Reach.all, Reach.all),
        (Approval, Role.Agente_IA, Reach.all, Reach.none),
        (Approval, Role.Comercial, Reach.all, Reach.none),
        (Approval, Role.Diretor, Reach.all, Reach.all),
        (Project, Role.Comercial, Reach.all, Reach.none),
        (Project, Role.Cliente, Reach.client, Reach.none),
        (Piece, Role.Cliente, Reach.client, Reach.client),
        (Piece, Role.Comercial, Reach.all, Reach.none),
        (Key, Role.Admin, Reach.all, Reach.all),
        (Key, Role.Diretor, Reach.none, Reach.none),
    ],
)
def test_a_declaration_and_the_matrix_say_how_far_a_role_goes(
    where: type[Any], role: Role, read: Reach, write: Reach
) -> None:
    assert (access(where, role, "read"), access(where, role, "write")) == (read, write)


def sql(role: Role, where: type[Any], company: UUID | None = None) -> str:
    kind = {Role.system: Kind.system, Role.anonymous: Kind.anonymous, Role.Agente_IA: Kind.agent}.get(role, Kind.user)
    query = visible(Principal(uuid4(), role, kind, "x", client_company_id=company), where)
    text = " ".join(str(query.compile(dialect=postgresql.dialect())).split())  # type: ignore[no-untyped-call]
    return text.partition(" WHERE ")[2]


def test_full_reach_adds_no_condition() -> None:
    assert sql(Role.Diretor, Deal) == ""
    assert sql(Role.system, SavedView) == ""


def test_a_seller_gets_own_rows_and_their_children() -> None:
    assert sql(Role.Comercial, Deal) == "crm.deals.owner_id = %(param_1)s::UUID"
    assert sql(Role.Comercial, Note).startswith("EXISTS (SELECT 1 FROM crm.deals AS deals_1 WHERE deals_1.id = crm")
    assert "deals_1.owner_id = " in sql(Role.Comercial, Note)


def test_no_reach_is_an_empty_answer_not_an_error() -> None:
    assert sql(Role.Cliente, Deal) == "false"
    assert sql(Role.anonymous, Deal) == "false"


def test_a_client_gets_the_rows_of_its_company_and_nothing_without_one() -> None:
    assert sql(Role.Cliente, Project, uuid4()) == "projects.projects.company_id = %(param_1)s::UUID"
    assert sql(Role.Cliente, Project) == "false"


def test_what_belongs_to_the_house_is_closed_to_clients_unless_it_says_otherwise() -> None:
    assert sql(Role.Cliente, Category) == "false"
    assert sql(Role.Cliente, Price) in ("", "true")
    assert sql(Role.Comercial, Category) == ""


def test_a_shared_row_can_be_read_by_others_and_written_by_its_owner_alone() -> None:
    assert "shared IS true" in sql(Role.Comercial, SavedView)
    select, insert, update, delete = policies(SavedView)
    assert "shared IS true" in select
    for write in (insert, update, delete):
        assert "shared" not in write


def test_a_table_without_a_scope_is_an_error_for_everybody_but_the_system() -> None:
    bare = table("bare", "crm", None, fresh_base())
    with pytest.raises(ScopeError, match="declares no __scope__"):
        sql(Role.Admin, bare)
    with pytest.raises(ScopeError, match="declares no __scope__"):
        rls.table_statements(bare)


def test_a_table_outside_the_matrix_is_an_error() -> None:
    with pytest.raises(ScopeError, match="'warehouse' is not a module"):
        sql(Role.Admin, table("boxes", "warehouse", Everyone(), fresh_base()))


def test_a_parent_in_another_module_is_an_error() -> None:
    with pytest.raises(ScopeError, match="belongs to another module"):
        sql(Role.Comercial, table("threads", "sdr", Via(Deal, "parent_id"), fresh_base()))


def test_an_option_that_names_no_action_is_an_error_where_it_is_written() -> None:
    with pytest.raises(ScopeError, match=r"'outreach\.send' is not an action"):
        Everyone(writers="outreach.send")


def policies(where: type[Any]) -> list[str]:
    return [line for line in rls.table_statements(where) if line.startswith("create policy")]


def test_every_table_of_a_business_schema_gets_its_policies_and_unmapped_ones_are_refused() -> None:
    base = fresh_base()
    deal = table("deals", "crm", Own("owner_id"), base)
    outbox = table("outbox", "mesh", None, base)
    assert rls.protected_tables(base) == [deal], f"{outbox.__name__} is the mesh's own, not business"
    Table("loose", base.metadata, Column("id", Uuid, primary_key=True), schema="crm")
    with pytest.raises(ScopeError, match=r"crm\.loose has no mapped class"):
        rls.statements(base)


def test_a_policy_reads_settings_in_sub_selects_so_they_are_read_once() -> None:
    for policy in [*policies(Deal), *policies(Note), *policies(Project)]:
        assert policy.count("current_setting(") == policy.count("(select current_setting(") + policy.count(
            "(select cast(nullif(current_setting("
        )


def test_a_role_that_may_not_write_is_in_no_write_policy() -> None:
    for policy in policies(Approval)[1:]:
        assert "Agente_IA" not in policy
        assert "Comercial" not in policy
    for policy in policies(Deal)[1:]:
        assert "Agente_IA" not in policy


def test_row_security_binds_the_owner_too() -> None:
    assert "alter table crm.deals force row level security" in rls.table_statements(Deal)


def test_the_fixed_principals_reach_all_and_nothing() -> None:
    assert visible(SYSTEM, Deal).whereclause is None
    assert str(visible(ANONYMOUS, Deal).whereclause) == "false"


def fresh_base() -> type[DeclarativeBase]:
    return type("Other", (DeclarativeBase,), {"metadata": MetaData()})
