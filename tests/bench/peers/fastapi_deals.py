"""The deals endpoint in FastAPI, uvicorn, SQLAlchemy and the same driver: verify, check, read, answer."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, event, select
from sqlalchemy.orm import Session, sessionmaker

from somos.modules.crm.tables.deals import Deal

url = os.environ["DATABASE_URL"]
engine = create_engine(url, pool_size=8, max_overflow=2, connect_args={"ssl_context": False} if "pg8000" in url else {})
sessions = sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


@event.listens_for(engine, "connect")
def _see_all(connection: Any, record: Any) -> None:
    # The peer has no row security of its own: it filters in the query, as such services do.
    cursor = connection.cursor()
    cursor.execute("set somos.role = 'system'")
    cursor.close()
    connection.commit()


class Claims(BaseModel):
    sub: UUID
    role: str


class DealOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    pipeline_id: UUID
    stage_id: UUID
    stage_entered_at: datetime
    owner_id: UUID | None
    company_id: UUID | None
    contact_id: UUID | None
    value_cents: int
    probability: int
    expected_close_date: date | None
    state: str
    closed_at: datetime | None
    closed_on: date | None
    lost_reason_id: UUID | None
    lost_note: str | None
    win_override_reason: str | None
    lead_id: UUID | None
    campaign_id: UUID | None
    origin: str
    version: int
    created_at: datetime
    updated_at: datetime


class DealsOut(BaseModel):
    items: list[DealOut]
    next: str | None


def database() -> Iterator[Session]:
    with sessions() as session:
        yield session


def claims(authorization: Annotated[str, Header()]) -> Claims:
    try:
        decoded = jwt.decode(
            authorization.removeprefix("Bearer "),
            os.environ["SOMOS_JWT_PUBLIC_KEY"],
            algorithms=["EdDSA"],
            issuer="somos",
            audience="somos-api",
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error
    found = Claims.model_validate(decoded)
    if found.role not in ("Admin", "Diretor", "Comercial"):
        raise HTTPException(403)
    return found


Db = Annotated[Session, Depends(database)]
Who = Annotated[Claims, Depends(claims)]


@app.get("/ready")
def ready() -> str:
    return "ok"


@app.get("/api/v1/deals/{id}")
def deal(id: UUID, db: Db, who: Who) -> DealOut:
    found = db.scalars(select(Deal).where(Deal.id == id, Deal.owner_id == who.sub)).first()
    if found is None:
        raise HTTPException(404)
    return DealOut.model_validate(found)


@app.get("/api/v1/deals")
def deals(db: Db, who: Who, limit: int = 50) -> DealsOut:
    found = db.scalars(select(Deal).where(Deal.owner_id == who.sub).order_by(Deal.id.desc()).limit(limit + 1)).all()
    more = len(found) > limit
    return DealsOut(
        items=[DealOut.model_validate(row) for row in found[:limit]], next=str(found[-1].id) if more else None
    )
