"""Is this somebody we already have? Asked while a person is typing."""

from somos.kernel.documents import normalise_document
from somos.kernel.emails import normalise_email
from somos.kernel.hosts import domain_of
from somos.kernel.phones import normalise_phone
from somos.mesh import Context, http
from somos.modules.crm.queries.companies import is_elsewhere
from somos.modules.crm.queries.duplicates import twins
from somos.modules.crm.rules.duplicates import Known
from somos.modules.crm.schemas.duplicates import DuplicateAnswer, DuplicateQuestion
from somos.modules.crm.tables.companies import Company
from somos.modules.crm.tables.contacts import Contact


# A POST, so that what is typed never stands in an address that gets logged.
@http.post("/api/v1/duplicates", allow="crm:read", status=200)
def duplicates_check(question: DuplicateQuestion, ctx: Context) -> DuplicateAnswer:
    known = Known(
        name=question.name,
        city=question.city,
        document=normalise_document(question.document),
        domain=domain_of(question.domain),
        phone=normalise_phone(question.phone),
        email=normalise_email(question.email),
    )
    table = Company if question.kind == "company" else Contact
    rows = ctx.visible(table)
    if question.ignore_id is not None:
        rows = rows.where(table.id != question.ignore_id)
    elsewhere = table is Company and known.document is not None and is_elsewhere(ctx, known.document)
    return DuplicateAnswer(twins=twins(ctx.db, rows, table, known), elsewhere=elsewhere)
