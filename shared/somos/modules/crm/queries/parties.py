"""What a company or a contact is to us, by its own deals."""

from collections.abc import Collection, Iterator
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from somos.events.crm import Party
from somos.kernel.keys import key_hashes

# Who was merged into another lends it all keys and bears none.
_STANDINGS = text("""
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
select a.id, coalesce(k.pairs, '[]') as pairs, coalesce(e.companies, '{}') as employers, d.is_client
from asked a left join keys k using (id) left join employers e using (id) left join deals d using (id)
order by a.id
""")


def parties_of(db: Session, ids: Collection[UUID], secret: str) -> Iterator[Party]:
    """These companies and contacts as they stand now, with the system's rights; also those that are gone."""
    for row in db.execute(_STANDINGS, {"ids": list(ids)}):
        yield Party(
            id=row.id,
            keys=sorted(set(key_hashes(secret, row.pairs))),
            employers=sorted(row.employers),
            relationship=None if row.is_client is None else "client" if row.is_client else "open_deal",
        )
