"""What the pipeline states of its companies and contacts."""

import json

from sqlalchemy import text
from sqlalchemy.orm import Session

from somos.events.crm import PartiesRestated
from somos.mesh import clock

# In one order, so that two statements never wait for each other.
_LEARN = text("""
insert into relations.parties (id, number, keys, employers, relationship, created_at, updated_at)
select id, :number, keys, employers, relationship, :now, :now
from jsonb_to_recordset(cast(:parties as jsonb)) as p(id uuid, keys text[], employers uuid[], relationship text)
order by id
on conflict (id) do update
set number = excluded.number, keys = excluded.keys, employers = excluded.employers,
    relationship = excluded.relationship, updated_at = excluded.updated_at
where parties.number < excluded.number
""")


def learn(db: Session, stated: PartiesRestated) -> None:
    """Whatever comes late or twice changes nothing."""
    parties = json.dumps([party.model_dump(mode="json") for party in stated.parties])
    db.execute(_LEARN, {"number": stated.number, "parties": parties, "now": clock.now()})
