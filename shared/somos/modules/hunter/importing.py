"""A spreadsheet's lines become leads; every line ends as accepted, duplicate or rejected."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from somos.mesh import Context
from somos.mesh.ids import stable, uuid7
from somos.modules.hunter import identity
from somos.modules.hunter.intake import Seen, take_in
from somos.modules.hunter.rules import imports
from somos.modules.hunter.rules.facts import chosen, company_keys, exact_keys
from somos.modules.hunter.rules.states import move_session
from somos.modules.hunter.schemas.sheets import ImportReport, RefusedLine
from somos.modules.hunter.tables import IcpProfile, SearchSession
from somos.modules.keys import PersonKeys
from somos.modules.sdr import queries as sdr
from somos.modules.sheet import Sheet, Unreadable, fold


def lines_of(sheet: Sheet, name: str, now: datetime) -> list[imports.Line]:
    """What each line states; Unreadable when no column is recognised."""
    mapping = imports.mapping_of(sheet.headers)
    if not mapping:
        raise Unreadable("Nenhuma coluna foi reconhecida; use, por exemplo, Empresa, CNPJ, Site, Telefone, E-mail.")
    return [imports.line_of(row, mapping, name[:100], now) for row in sheet.rows]


def open_session(ctx: Context, profile: IcpProfile, lines: int) -> SearchSession:
    """The session that counts what becomes of a file."""
    session_id = uuid7()
    session = SearchSession(
        id=session_id,
        kind="import",
        icp_id=profile.id,
        icp_number=profile.number,
        task_id=ctx.start_task("hunter.import", session_id),
        requested_by=ctx.principal.id,
        sources=["csv"],
        target=max(lines, 1),
        credits_cap=0,
        moved_at=ctx.now,
    )
    ctx.db.add(session)
    ctx.db.flush()
    session.state = move_session(session.state, "running")
    return session


def take(
    db: Session, session: SearchSession, sheet: Sheet, lines: Sequence[imports.Line], *, secret: str, now: datetime
) -> tuple[ImportReport, list[UUID]]:
    """Store the companies nobody knows yet; what became of each line, and the new leads."""
    rejected = [RefusedLine(line=line.number, reason=line.refused) for line in lines if line.refused]
    duplicates: list[RefusedLine] = []
    wanted: list[imports.Line] = []
    persons = {line.number: _person(line) for line in lines if line.refused is None}
    suppressed = sdr.suppressed_among(db, persons.values())
    for line in lines:
        if line.number not in persons:
            continue
        if persons[line.number] in suppressed:
            rejected.append(RefusedLine(line=line.number, reason="A pessoa pediu para não receber contato."))
        else:
            wanted.append(line)
    intake = take_in(db, [_seen(line) for line in wanted], session, most=len(wanted), secret=secret, now=now)
    first = {position: position for position in range(len(wanted))} | intake.twins
    for position, line in enumerate(wanted):
        holder = intake.known.get(position)
        if holder is not None and identity.is_refused(holder):
            rejected.append(RefusedLine(line=line.number, reason="Esta empresa está marcada para nunca ser contatada."))
        elif holder is not None:
            duplicates.append(RefusedLine(line=line.number, reason=f"Já existe como lead {holder.id}."))
        elif first[position] != position:
            before = wanted[first[position]].number
            duplicates.append(RefusedLine(line=line.number, reason=f"É a mesma empresa da linha {before}."))
    session.found += len(intake.new)
    session.repeated += len(duplicates)
    session.ignored += len(rejected)
    mapping = imports.mapping_of(sheet.headers)
    report = ImportReport(
        session_id=session.id,
        task_id=session.task_id,
        lines=len(lines),
        accepted=len(intake.new),
        duplicates=duplicates,
        rejected=sorted(rejected, key=lambda line: line.line),
        warnings=[RefusedLine(line=line.number, reason=said) for line in lines for said in line.warnings],
        columns=mapping,
        ignored_columns=imports.ignored(sheet, mapping),
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
    )
    return report, intake.new


def _person(line: imports.Line) -> PersonKeys:
    keys = company_keys(line.facts)
    return PersonKeys(keys.phone, keys.email)


def _seen(line: imports.Line) -> Seen:
    """The same company in a file sent again has the same id."""
    best = {field: fact.value for field, fact in chosen(line.facts).items()}
    keys = [f"{key.kind}:{key.value}" for key in exact_keys(line.facts)]
    id = stable("csv", *(keys or [fold(best.get("company_name", "")), fold(best.get("city", ""))]))
    return Seen("csv", str(id), None, line.facts)
