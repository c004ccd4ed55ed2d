"""Lists, the board, search and reports in a house of ten years, asked by the direction and by sellers."""

from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, text

from somos.local.postgres import APP
from somos.mesh import ddl
from somos.mesh.clock import now
from somos.mesh.ids import uuid7
from somos.policy.principals import Kind, Principal
from somos.policy.roles import Role
from somos.policy.tokens import TokenSigner
from tests.bench.cold_start import HEALTH
from tests.bench.load import flat_out
from tests.bench.rows import Budget, Row
from tests.bench.setting import PYTHON, Setting, answers, free_port, process

HOUSE = Path(__file__).with_name("house.sql")
PIPELINE = UUID(int=1001)
SELLERS = [UUID(int=n + 1) for n in range(20)]
ASKED = {
    "deals by value": ["/api/v1/deals?sort=-value_cents", "/api/v1/deals?without_next_step=true"],
    "deals by words": ["/api/v1/deals?q=filme", "/api/v1/deals?q=campanha+77777"],
    "board": [f"/api/v1/deals/board?pipeline_id={PIPELINE}&limit=20"],
    "stage report": [f"/api/v1/deals/stage-report?pipeline_id={PIPELINE}"],
    "forecast and summary": ["/api/v1/deals/forecast", "/api/v1/deals/summary"],
    "search": ["/api/v1/crm/search?q=tucano", "/api/v1/crm/search?q=campanha+77777"],
    "activities": ["/api/v1/deal-activities", "/api/v1/deal-activities?sort=due_at&pending=true"],
    "companies and contacts": ["/api/v1/companies?sort=name_key", "/api/v1/contacts?q=silva+31313"],
    "leads": ["/api/v1/leads?sort=-score", "/api/v1/leads?q=eventos+77777"],
    "messages and answers": ["/api/v1/outreach-messages", "/api/v1/responses?label=unclear"],
}
ROLES = {
    "direction": (Role.Diretor, UUID(int=999)),
    "first seller": (Role.Comercial, SELLERS[0]),
    "last seller": (Role.Comercial, SELLERS[-1]),
}


def at_size(setting: Setting, quick: bool) -> list[Row]:
    """p95 of one connection that asks again as soon as it is answered, for each role."""
    with setting.as_owner() as db:
        build(db)
    with setting.as_owner(autocommit=True) as db:
        db.execute(text("vacuum analyze"))
    port = free_port()
    command = [PYTHON, "-m", "somos.mesh.serve", "--port", str(port)]
    with process(command, setting.environment(SOMOS_FUNCTIONS="crm,hunter,sdr"), setting.log("house")) as running:
        answers(port, HEALTH, running)
        return [
            Row(f"{what}, {who}", _p95(setting, port, paths, who, quick), None, "ms", Budget(200, 50))
            for what, paths in ASKED.items()
            for who in ROLES
        ]


def build(db: Connection) -> None:
    """Fill the migrated tables; neither an audit trail nor words row by row, which would take minutes."""
    tables = [table for table in ddl.business_tables() if table.__table__.schema in ("crm", "hunter", "sdr")]
    for table in tables:
        db.execute(text(f"alter table {table.__table__.fullname} disable trigger user"))
    told = {"sellers": "{" + ",".join(map(str, SELLERS)) + "}", "pipeline": PIPELINE, "icp": uuid7(), "sender": uuid7()}
    lines = [line for line in HOUSE.read_text().splitlines() if not line.lstrip().startswith("--")]
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip():
            db.execute(text(statement), {name: value for name, value in told.items() if f":{name}" in statement})
    for table in tables:
        db.execute(text(f"alter table {table.__table__.fullname} enable trigger user"))
    db.execute(text("truncate mesh.searched"))
    ddl.finish(db, APP)  # which gathers the words of all rows at once


def _p95(setting: Setting, port: int, paths: list[str], who: str, quick: bool) -> float:
    role, id = ROLES[who]
    token = TokenSigner(setting.keys[0]).access(Principal(id, role, Kind.user, who, "bench"), now())
    served = flat_out(port, paths, token, 1 if quick else 3, connections=1)
    if served.failures:
        raise RuntimeError(f"{paths} refused {served.failures} requests; see {setting.log('house')}")
    return served.p95
