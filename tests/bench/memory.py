"""Memory of one core unit by itself, after it served: beside functions-framework's own server with a bare function."""

import http.client

from tests.bench.cold_start import HEALTH, bare_command, unit_command
from tests.bench.rows import Budget, Row
from tests.bench.setting import Setting, answers, free_port, process, pss_mib


def memory(setting: Setting, quick: bool) -> list[Row]:
    deals = [f"/api/v1/deals/{id}" for id in setting.deals[:20]]
    with process(unit_command(port := free_port()), _told(setting), setting.log("memory")) as running:
        answers(port, HEALTH, running)
        _ask(port, [*deals, "/api/v1/deals?limit=50"], setting.token())
        ours = pss_mib(running.pid)
    with process(bare_command(port := free_port()), _told(setting), setting.log("memory")) as running:
        answers(port, "/", running)
        _ask(port, ["/"] * 20, "")
        peer = pss_mib(running.pid)
    note = "PSS after twenty reads and a page of fifty; the peer answers 'ok' and reads nothing"
    return [Row("memory of a core unit alone", ours, peer, "MiB", Budget(80, 65), note)]


def _told(setting: Setting) -> dict[str, str]:
    return setting.environment(SOMOS_FUNCTION="crm-deals")


def _ask(port: int, paths: list[str], token: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for path in paths:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
    connection.close()
