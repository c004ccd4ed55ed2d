"""Which company bears these keys."""

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from somos.kernel.keys import CompanyKeys
from somos.mesh import Context
from somos.modules.crm.tables.companies import Company


def find_company(db: Session, keys: CompanyKeys) -> Company | None:
    """The live company with these keys: by document, else domain, else phone, else e-mail.

    Never one of another CNPJ.
    """
    live = select(Company).where(Company.merged_into_id.is_(None)).order_by(Company.id).limit(1)
    if keys.cnpj:
        live = live.where(or_(Company.document.is_(None), Company.document == keys.cnpj))
    for column, value in _company_keys(keys):
        company = db.scalars(live.where(column == value)).first()
        if company is not None:
            return company
    return None


def _company_keys(keys: CompanyKeys) -> list[tuple[InstrumentedAttribute[str | None], str]]:
    pairs = [
        (Company.document, keys.cnpj),
        (Company.domain, keys.domain),
        (Company.phone, keys.phone),
        (Company.email, keys.email),
    ]
    return [(column, value) for column, value in pairs if value]


def live_with(document: str) -> tuple[ColumnElement[bool], ...]:
    """The condition of the one live company with this document."""
    return (Company.document == document, Company.merged_into_id.is_(None))


def is_elsewhere(ctx: Context, document: str) -> bool:
    """Whether the document, which is unique for the whole house, is in a portfolio the asker cannot see."""
    if ctx.count(ctx.visible(Company).where(*live_with(document))):
        return False
    with ctx.as_system() as db:
        return bool(db.scalar(select(exists().where(*live_with(document)))))
