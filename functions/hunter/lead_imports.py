"""A spreadsheet of companies is the other way in: the same steps, and a report of every line."""

from somos.mesh import Conflict, Context, Invalid, Upload, http
from somos.modules.hunter import importing, sessions
from somos.modules.hunter.schemas.sheets import ImportFilter, ImportReport
from somos.modules.hunter.tables import IcpProfile
from somos.modules.sheet import Unreadable, read


@http.post("/api/v1/leads/import", allow="hunter:write", emits=sessions.ANNOUNCED)
def lead_imports_take(filter: ImportFilter, upload: Upload, ctx: Context) -> ImportReport:
    """Take in a CSV (`;` or `,`, UTF-8 or Latin-1, Portuguese headers) and judge its companies by a profile."""
    profile = ctx.get(IcpProfile, filter.icp_id)
    if profile.archived:
        raise Conflict("Este perfil está arquivado.", code="icp-archived")
    try:
        sheet = read(upload.content)
        lines = importing.lines_of(sheet, upload.filename or "planilha.csv", ctx.now)
    except Unreadable as error:
        raise Invalid(str(error), field="file", code="unreadable-file") from None
    session = importing.open_session(ctx, profile, len(lines))
    report, new = importing.take(ctx.db, session, sheet, lines, secret=ctx.settings.suppression_key, now=ctx.now)
    step = sessions.advance(ctx.db, session, secret=ctx.settings.suppression_key, now=ctx.now)
    step.found += new
    sessions.announce(ctx, session, step)
    return report
