"""The permission matrix equals the seed's, and its cells mean what the seed says they mean."""

import pytest

from somos.policy.matrix import MATRIX, MODULES, Reach, reach
from somos.policy.roles import SEED_ROLES, Role
from somos.settings import ROOT

# As printed in the source document, Portuguese names and all.
SEED = """
              Admin  Diretor  Comercial  Agente_IA  Cliente
Hunter         RW      RW        R          RW         -
SDR            RW      RW        R          RW         -
CRM            RW      RW        RW*        R          -
Contratos      RW      RW        R          -          R
Projetos       RW      RW        R          -          R
Financeiro     RW      R         -          -          R*
Inventario     RW      RW        R          -          -
Fornecedores   RW      RW        R          -          -
Orcamentos     RW      RW        RW         RW         R
Content_Studio RW      RW        R          RW         R*
Social_Sched.  RW      RW        R          RW         -
RH_&_Agentes   RW      R         -          -          -
Intel_Feed     RW      RW        R          RW         -
Analytics      RW      RW        R          R          R*
App_Android    RW      RW        RW         -          RW
"""
OURS = {
    "Hunter": "hunter",
    "SDR": "sdr",
    "CRM": "crm",
    "Contratos": "contracts",
    "Projetos": "projects",
    "Financeiro": "finance",
    "Inventario": "inventory",
    "Fornecedores": "suppliers",
    "Orcamentos": "budgets",
    "Content_Studio": "content",
    "Social_Sched.": "social",
    "RH_&_Agentes": "hr",
    "Intel_Feed": "intel",
    "Analytics": "analytics",
    "App_Android": "mobile",
}


def cells() -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in SEED.strip().splitlines()]
    return [(OURS[name], role, cell) for name, *row in rows for role, cell in zip(header, row, strict=True)]


@pytest.mark.parametrize(("module", "role", "cell"), cells())
def test_the_matrix_equals_the_seed_cell_by_cell(module: str, role: str, cell: str) -> None:
    assert MATRIX[module][Role(role)] == cell


def test_the_matrix_has_the_seeds_fifteen_modules_and_those_that_have_functions() -> None:
    written = {file.parent.name for file in ROOT.glob("functions/*/__init__.py")}
    assert {"auth", "crm", "mesh"} <= written
    assert set(MODULES) == {*OURS.values(), *written}


@pytest.mark.parametrize(
    ("role", "module", "read", "write"),
    [
        (Role.Admin, "finance", Reach.all, Reach.all),
        (Role.Diretor, "finance", Reach.all, Reach.none),
        (Role.Comercial, "crm", Reach.own, Reach.own),
        (Role.Comercial, "hunter", Reach.all, Reach.none),
        (Role.Comercial, "finance", Reach.none, Reach.none),
        (Role.Comercial, "budgets", Reach.all, Reach.all),
        (Role.Agente_IA, "crm", Reach.all, Reach.none),
        (Role.Agente_IA, "sdr", Reach.all, Reach.all),
        (Role.Cliente, "finance", Reach.client, Reach.none),
        (Role.Cliente, "crm", Reach.none, Reach.none),
        (Role.system, "finance", Reach.all, Reach.all),
        (Role.anonymous, "crm", Reach.none, Reach.none),
    ],
)
def test_a_cell_says_how_far_a_role_reaches(role: Role, module: str, read: Reach, write: Reach) -> None:
    assert (reach(role, module, "read"), reach(role, module, "write")) == (read, write)


@pytest.mark.parametrize("module", MODULES)
def test_a_client_never_reaches_past_its_own_company_starred_or_not(module: str) -> None:
    for verb in ("read", "write"):
        assert reach(Role.Cliente, module, verb) in (Reach.none, Reach.client)  # type: ignore[arg-type]


@pytest.mark.parametrize("module", MODULES)
def test_nobody_writes_where_they_cannot_read(module: str) -> None:
    for role in SEED_ROLES:
        if reach(role, module, "write") is not Reach.none:
            assert reach(role, module, "read") is not Reach.none


def test_a_module_that_the_matrix_lacks_is_named() -> None:
    with pytest.raises(LookupError, match="'warehouse' is not in the permission matrix"):
        reach(Role.Admin, "warehouse", "read")
