"""A house at work before there were relations: what its tables hold is learnt as events would have told it."""

from typing import Any

import pytest
from alembic import command

from somos.mesh.database import engine_for
from somos.migrations import configuration, migrate
from somos.settings import Settings
from tests.functions.sdr.conftest import ANA_EMAIL, Desk
from tests.harness.mesh import Mesh
from tests.harness.world import World

KEPT = (
    "select id, array(select unnest(keys) order by 1) as keys, employers, relationship from relations.parties "
    "order by id",
    "select key, suppressed, last_contact_at from relations.addresses order by key",
)


def known(mesh: Mesh) -> list[Any]:
    return [[dict(row) for row in mesh.rows(sql)] for sql in KEPT]


def test_what_pipeline_and_outreach_hold_is_learnt(
    committed: Mesh, outside: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(committed, outside)
    desk.sent()
    desk.post("suppressions", {"phone": "11 95555-0102", "email": ANA_EMAIL, "reason": "pediu"})
    company, other = (desk.post("companies", {"name": f"{n}", "domain": f"{n}.com.br"}) for n in ("lumen", "farol"))
    contact = desk.post("contacts", {"name": "Carla", "phone": "11 98765-4321", "email": "carla@lumen.com.br"})
    desk.post("company-contacts", {"company_id": other["id"], "contact_id": contact["id"], "role": "decide"})
    desk.post("deals", {"title": "Filme", "company_id": company["id"]})
    desk.post("merges", {"kind": "company", "survivor_id": company["id"], "absorbed_id": other["id"], "choices": {}})
    committed.drain()
    before = known(committed)
    assert [len(rows) for rows in before] == [3, 3]

    engine = engine_for(settings.database_owner_url, pool_size=1)
    command.downgrade(configuration(engine), "relations@base")
    engine.dispose()
    try:
        monkeypatch.delenv("SUPPRESSION_KEY", raising=False)
        with pytest.raises(RuntimeError, match="SUPPRESSION_KEY is not set"):
            migrate(settings.database_owner_url, settings.database_url)
    finally:
        monkeypatch.setenv("SUPPRESSION_KEY", settings.suppression_key)
        migrate(settings.database_owner_url, settings.database_url)
    assert known(committed) == before
