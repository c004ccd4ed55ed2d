"""A spreadsheet is the other way in, through the same steps."""

import pytest

from tests.flows.office import Office

SHEET = (
    "Razão Social;CNPJ;Site;Telefone;E-mail;Município;Estado\n"
    "Agência Horizonte;98.000.101/0001-67;;;;São Paulo;SP\n"
    "Farol Comunicação;;farol-exemplo.com.br;;;São Paulo;São Paulo\n"
    "Número Errado;11.111.111/1111-11;;;;Campinas;SP\n"
    ";;;;;;\n"
)


@pytest.mark.parametrize(("encoding", "delimiter"), [("utf-8-sig", ";"), ("latin-1", ";"), ("utf-8", ",")])
def test_every_line_of_a_sheet_is_accounted_for(office: Office, encoding: str, delimiter: str) -> None:
    raw = SHEET.replace(";", delimiter).encode(encoding)
    report = office.mesh.call(
        f"POST /api/v1/leads/import?icp_id={office.icp}", as_=office.helena, data=raw, content_type="text/csv"
    ).ok()
    accounted = report["accepted"] + len(report["duplicates"]) + len(report["rejected"])
    assert accounted == report["lines"]
    assert report["accepted"] >= 2
    assert all(line["line"] > 1 and line["reason"] for line in report["rejected"])

    office.settle()
    task = office.ask(f"GET /api/v1/agents/tasks/{report['task_id']}")
    assert task["state"] == "succeeded"
    leads = office.leads(source="csv")
    assert len(leads) == report["accepted"]
    assert all(lead["score"] is not None for lead in leads if lead["state"] in ("qualified", "rejected_campaign"))
