"""Begin relations

Revision: relations_0001
Follows: nothing
"""

import json

import sqlalchemy as sa
from alembic import op

from somos.kernel.keys import key_hashes
from somos.settings import Settings

revision = "relations_0001"
down_revision = None
branch_labels = ("relations",)
depends_on = ("crm_0001", "sdr_0003", "mesh_0001")

AT_ONCE = 1000
PARTIES = sa.text("select id from crm.companies union all select id from crm.contacts")
# What a company or a contact bears, with the keys of those merged into it; who employs it; what its deals are.
STANDINGS = sa.text("""
with asked as (select unnest(cast(:ids as uuid[])) as id),
rows as (
    select coalesce(merged_into_id, id) as id, document, domain, phone, email from crm.companies
    where merged_into_id = any(:ids) or (id = any(:ids) and merged_into_id is null)
    union all
    select coalesce(merged_into_id, id), null, null, phone, email from crm.contacts
    where merged_into_id = any(:ids) or (id = any(:ids) and merged_into_id is null)
), keys as (
    select r.id, jsonb_agg(jsonb_build_array(k.kind, k.value)) as pairs
    from rows r cross join lateral (
        values ('cnpj', r.document), ('domain', r.domain), ('phone', r.phone), ('email', r.email)
    ) as k(kind, value)
    where k.value is not null group by r.id
), employers as (
    select contact_id as id, array_agg(distinct company_id) as companies
    from crm.company_contacts where contact_id = any(:ids) group by contact_id
), deals as (
    select id, bool_or(state = 'won') as is_client from (
        select company_id as id, state from crm.deals where company_id = any(:ids)
        union all
        select contact_id, state from crm.deals where contact_id = any(:ids)
    ) d where state <> 'lost' group by id
)
select a.id, coalesce(k.pairs, '[]') as pairs, coalesce(e.companies, '{}') as employers,
    case when d.is_client then 'client' when d.id is not null then 'open_deal' end as relationship
from asked a left join keys k using (id) left join employers e using (id) left join deals d on d.id = a.id
""")
# What the pipeline has stated itself is newer.
KEEP_PARTIES = sa.text("""
insert into relations.parties (id, number, keys, employers, relationship)
select id, 0, keys, employers, relationship
from jsonb_to_recordset(cast(:parties as jsonb)) as p(id uuid, keys text[], employers uuid[], relationship text)
on conflict (id) do update
set keys = excluded.keys, employers = excluded.employers, relationship = excluded.relationship
where parties.number = 0
""")
KEEP_ADDRESSES = sa.text("""
insert into relations.addresses (id, key, suppressed, last_contact_at)
select gen_random_uuid(), key, bool_or(suppressed), max(at) from (
    select key, true as suppressed, cast(null as timestamptz) as at from sdr.suppressions where reach = 'person'
    union all select phone_key, false, left_at from sdr.outreach_messages where left_at is not null
    union all select email_key, false, left_at from sdr.outreach_messages where left_at is not null
    union all select phone_key, false, at from sdr.phone_messages
) known where key is not null group by key
on conflict (key) do update set suppressed = addresses.suppressed or excluded.suppressed,
    last_contact_at = greatest(addresses.last_contact_at, excluded.last_contact_at)
""")


def fill(connection: sa.Connection) -> None:
    """All that pipeline and outreach hold now, as they would state it; may be repeated."""
    connection.execute(sa.text("select set_config('somos.role', 'system', true)"))
    connection.execute(KEEP_ADDRESSES)
    ids = connection.execute(PARTIES).scalars().all()
    secret = Settings.from_environment().suppression_key
    if ids and not secret:
        raise RuntimeError("SUPPRESSION_KEY is not set: companies and contacts are kept here by keyed hashes of it")
    for start in range(0, len(ids), AT_ONCE):
        parties = [
            {
                "id": row.id,
                "keys": sorted(set(key_hashes(secret, row.pairs))),
                "employers": row.employers,
                "relationship": row.relationship,
            }
            for row in connection.execute(STANDINGS, {"ids": ids[start : start + AT_ONCE]})
        ]
        connection.execute(KEEP_PARTIES, {"parties": json.dumps(parties, default=str)})


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("suppressed", sa.Boolean(), nullable=False),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
        sa.UniqueConstraint("key", name=op.f("uq_addresses_key")),
        schema="relations",
    )
    op.create_table(
        "parties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("keys", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("employers", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("relationship", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("relationship in ('client', 'open_deal')", name=op.f("ck_parties_relationship")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parties")),
        schema="relations",
    )
    op.create_index("ix_parties_keys", "parties", ["keys"], schema="relations", postgresql_using="gin")
    fill(op.get_bind())


def downgrade() -> None:
    op.drop_table("parties", schema="relations")
    op.drop_table("addresses", schema="relations")
