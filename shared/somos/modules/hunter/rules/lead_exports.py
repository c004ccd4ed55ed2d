"""Leads as a spreadsheet other tools read, with nothing that a spreadsheet would run as a formula."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from somos.kernel.documents import format_cnpj
from somos.kernel.sheets import write

Layout = Literal["planilha", "hubspot"]
_ORIGIN = {"person": "pessoa", "csv": "planilha", "site": "site", "maps": "Google Maps", "web": "Google",
           "registry": "Receita Federal"}  # fmt: skip

Read = Callable[[Any], Any]


def national(phone: str | None) -> str | None:
    """A phone as Brazilians write it: text for a spreadsheet, and readable by our own import."""
    match = re.fullmatch(r"\+55(\d\d)(\d{4,5})(\d{4})", phone or "")
    return f"({match[1]}) {match[2]}-{match[3]}" if match else phone


# Portuguese headers are those our own import reads back; HubSpot's are its import's own names.
_PLANILHA: Mapping[str, Read] = {
    "Empresa": lambda lead: lead.company_name,
    "Razão social": lambda lead: lead.legal_name,
    "CNPJ": lambda lead: format_cnpj(lead.cnpj) if lead.cnpj else None,
    "Site": lambda lead: lead.domain,
    "Telefone": lambda lead: national(lead.phone),
    "E-mail": lambda lead: lead.email,
    "Contato": lambda lead: lead.contact_name,
    "Cargo": lambda lead: lead.contact_role,
    "Cidade": lambda lead: lead.city,
    "UF": lambda lead: lead.uf,
    "Segmento": lambda lead: lead.segment,
    "Funcionários": lambda lead: lead.employees,
    "Nota": lambda lead: lead.score,
    "Motivo": lambda lead: lead.reason,
    "Estado": lambda lead: lead.state,
    "Fonte": lambda lead: _ORIGIN.get(lead.source, lead.source),
    "Base legal": lambda lead: lead.legal_basis,
    "Guardar até": lambda lead: lead.retain_until.isoformat(),
}
_HUBSPOT: Mapping[str, Read] = {
    "Company name": lambda lead: lead.company_name,
    "Company domain name": lambda lead: lead.domain,
    "First name": lambda lead: (lead.contact_name or "").partition(" ")[0],
    "Last name": lambda lead: (lead.contact_name or "").partition(" ")[2],
    "Job title": lambda lead: lead.contact_role,
    "Email": lambda lead: lead.email,
    "Phone number": lambda lead: lead.phone,
    "City": lambda lead: lead.city,
    "State/Region": lambda lead: lead.uf,
    "Country/Region": lambda _: "Brazil",
    "Industry": lambda lead: lead.segment,
    "Lead score": lambda lead: lead.score,
    "Notes": lambda lead: lead.reason,
}
LAYOUTS: Mapping[Layout, Mapping[str, Read]] = {"planilha": _PLANILHA, "hubspot": _HUBSPOT}


def sheet_of(leads: Iterable[Any], layout: Layout = "planilha") -> bytes:
    """The CSV: `;` and a byte-order mark for Excel in Portuguese, `,` for tools in English."""
    columns = LAYOUTS[layout]
    rows = ([read(lead) for read in columns.values()] for lead in leads)
    return write(list(columns), rows, ";") if layout == "planilha" else write(list(columns), rows, ",", mark=False)
