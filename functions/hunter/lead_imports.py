"""A spreadsheet of companies is the other way in: the same steps, and a report of every line."""

from somos.events.hunter import LeadSettled
from somos.events.sdr import SuppressionWanted
from somos.kernel.sheets import Unreadable, read
from somos.mesh import Conflict, Context, Invalid, Upload, http
from somos.modules.hunter.actions import lead_imports, search_sessions
from somos.modules.hunter.rules.lead_imports import SPELLINGS
from somos.modules.hunter.schemas.lead_imports import ImportFilter, ImportReport
from somos.modules.hunter.tables.icp_profiles import IcpProfile


@http.post("/api/v1/leads/import", allow="hunter:write")
def lead_imports_take(filter: ImportFilter, upload: Upload, ctx: Context) -> ImportReport:
    """Take in a CSV with Portuguese headers and judge its companies by a profile.

    Companies that a column such as `nao_contatar` marks are stored as blocked, and their people suppressed.
    """
    profile = ctx.get(IcpProfile, filter.icp_id)
    if profile.archived:
        raise Conflict("Este perfil está arquivado.", code="icp-archived")
    name = upload.filename or "planilha.csv"
    try:
        sheet = read(upload.content, known=SPELLINGS)
        lines = lead_imports.lines_of(sheet, name, ctx.now)
    except Unreadable as error:
        raise Invalid(str(error), field="file", code="unreadable-file") from None
    session = lead_imports.open_session(ctx, profile, len(lines))
    secret = ctx.settings.suppression_key
    taken = lead_imports.take(ctx.db, session, sheet, lines, secret=secret, now=ctx.now)
    for number, keys in lead_imports.forbidden_keys(lines, secret):
        ctx.emit(SuppressionWanted(keys=keys, reason=f"{lead_imports.FORBIDDEN} ({name[:100]}, linha {number})"))
    for one in taken.ended:
        ctx.emit(LeadSettled(lead_id=one.lead_id, session_id=one.session_id, outcome="blocked"))
    step = search_sessions.advance(ctx.db, session, secret=secret, now=ctx.now)
    step.found += taken.new
    search_sessions.announce(ctx, session, step)
    return taken.report
