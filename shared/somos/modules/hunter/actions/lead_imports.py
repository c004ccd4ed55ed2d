"""A spreadsheet's lines become leads; every line ends as accepted, duplicate or rejected."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from uuid import UUID

from sqlalchemy.orm import Session

from somos.events.sdr import AddressKind
from somos.kernel.keys import PersonKeys
from somos.kernel.sheets import Sheet, Unreadable
from somos.kernel.text import fold
from somos.mesh.ids import stable
from somos.modules.hunter.actions import lead_keys
from somos.modules.hunter.actions.lead_intake import Seen, take_in
from somos.modules.hunter.actions.leads import Ended, block
from somos.modules.hunter.actions.search_sessions import count
from somos.modules.hunter.rules import lead_imports
from somos.modules.hunter.rules.facts import chosen, exact_keys
from somos.modules.hunter.schemas.lead_imports import ImportReport, RefusedLine
from somos.modules.hunter.tables.search_sessions import SearchSession
from somos.modules.relations.queries import addresses

FORBIDDEN = "A planilha diz para não contatar."


def lines_of(sheet: Sheet, name: str, now: datetime) -> list[lead_imports.Line]:
    """What each line states; Unreadable when no column is recognised."""
    mapping = lead_imports.mapping_of(sheet.headers)
    if not mapping:
        raise Unreadable("Nenhuma coluna foi reconhecida; use, por exemplo, Empresa, CNPJ, Site, Telefone, E-mail.")
    return [lead_imports.line_of(row, mapping, name[:100], now) for row in sheet.rows]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: its report, the new leads, and leads of other searches that it ended."""

    report: ImportReport
    new: list[UUID]
    ended: list[Ended]


def take(
    db: Session, session: SearchSession, sheet: Sheet, lines: Sequence[lead_imports.Line], *, secret: str, now: datetime
) -> Taken:
    """Store the companies nobody knows yet; those that the file says not to contact are stored as blocked."""
    rejected = [RefusedLine(line=line.number, reason=line.refused) for line in lines if line.refused]
    duplicates: list[RefusedLine] = []
    to_store: list[lead_imports.Line] = []
    people = {line.number: _people(line) for line in lines if line.refused is None}
    suppressed = addresses.suppressed_among(db, chain.from_iterable(people.values()))
    for line in lines:
        if line.number not in people:
            continue
        if suppressed.intersection(people[line.number]):
            rejected.append(RefusedLine(line=line.number, reason="A pessoa pediu para não receber contato."))
        else:
            to_store.append(line)
    intake = take_in(db, [_seen(line) for line in to_store], session, most=len(to_store), secret=secret, now=now)
    first = {position: position for position in range(len(to_store))} | intake.twins
    leads = intake.created | intake.known
    never = {leads[position].id: line for position, line in enumerate(to_store) if line.forbidden}
    ended = block(db, list(never), FORBIDDEN)
    for position, line in enumerate(to_store):
        holder = intake.known.get(position)
        if leads[position].id in never:
            rejected.append(RefusedLine(line=line.number, reason=_why_never(line, never[leads[position].id])))
        elif holder is not None and lead_keys.is_refused(holder):
            rejected.append(RefusedLine(line=line.number, reason="Esta empresa está marcada para nunca ser contatada."))
        elif holder is not None:
            duplicates.append(RefusedLine(line=line.number, reason=f"Já existe como lead {holder.id}."))
        elif first[position] != position:
            before = to_store[first[position]].number
            duplicates.append(RefusedLine(line=line.number, reason=f"É a mesma empresa da linha {before}."))
    accepted_ids = [id for id in intake.new if id not in never]
    session.found += len(intake.new)
    session.repeated += len(duplicates)
    session.ignored += len(rejected)
    for _ in range(len(intake.new) - len(accepted_ids)):
        count(session, "blocked")
    mapping = lead_imports.mapping_of(sheet.headers)
    report = ImportReport(
        session_id=session.id,
        task_id=session.task_id,
        lines=len(lines),
        accepted=len(accepted_ids),
        duplicates=duplicates,
        rejected=sorted(rejected, key=lambda line: line.line),
        warnings=[RefusedLine(line=line.number, reason=warning) for line in lines for warning in line.warnings],
        columns=mapping,
        ignored_columns=lead_imports.ignored(sheet, mapping),
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
    )
    return Taken(report, accepted_ids, [one for one in ended if one.lead_id not in intake.new])


def forbidden_keys(lines: Iterable[lead_imports.Line], secret: str) -> Iterator[tuple[int, dict[str, AddressKind]]]:
    """(line, keyed hashes by kind) of everybody whom the file says never to contact; a line may hold no address."""
    for line in lines:
        keys: dict[str, AddressKind] = {}
        for person in _people(line) if line.forbidden else []:
            keys |= dict.fromkeys(person.hashes(secret), "phone" if person.phone else "email")
        if keys:
            yield line.number, keys


def _why_never(line: lead_imports.Line, said_by: lead_imports.Line) -> str:
    if line.forbidden:
        return "Marcada para não ser contatada: ficou bloqueada."
    return f"A linha {said_by.number} diz para não contatar esta empresa."


def _people(line: lead_imports.Line) -> list[PersonKeys]:
    """Everybody who would be reached by one of the line's addresses."""
    phones = [PersonKeys(phone=fact.value) for fact in line.facts if fact.field == "phone"]
    return [*phones, *(PersonKeys(email=fact.value) for fact in line.facts if fact.field == "email")]


def _seen(line: lead_imports.Line) -> Seen:
    """The same company in a file sent again has the same id."""
    best = {field: fact.value for field, fact in chosen(line.facts).items()}
    keys = [f"{key.kind}:{key.value}" for key in exact_keys(line.facts)]
    id = stable("csv", *(keys or [fold(best.get("company_name", "")), fold(best.get("city", ""))]))
    return Seen("csv", str(id), None, line.facts)
