"""URL `/api/v1/deal-stages` = table `crm.deal_stages` = file `functions/crm/deal_stages.py` = handlers `deal_stages_*`.

Two modules may have a word in common: such a URL says its module first, `/api/v1/agents/tasks`.
"""

import re
from collections.abc import Callable
from pathlib import Path

from somos.mesh.declare import Endpoint, Function
from somos.mesh.loader import load
from tests.contract.declared import declared
from tests.contract.rows import tables

# URL: the file that answers it, and why not the file of that name.
OTHER_FILES = {
    "/api/v1/sdr/campaign": ("sdr/outreach_campaigns", "the owner's own document names this address"),
    **{
        f"/api/v1/deals/{report}": ("crm/deal_reports", "reads of a whole pipeline scale apart from changes of a deal")
        for report in (
            *("board", "forecast", "summary", "stage-report", "export"),
            *("{id}/history", "{id}/timeline"),
        )
    },
}
# File: why it has no table of its name.
NOT_STORED = {
    **dict.fromkeys(
        ("auth/login", "auth/logout", "auth/refresh", "auth/password", "auth/me"),
        "a thing that the signed-in person does or is; its row is in auth.users",
    ),
    "crm/deal_reports": "figures over crm.deals",
    "crm/duplicates": "an answer about rows of three tables, computed when asked for",
    "crm/search": "an answer over three tables",
    "hunter/search": "starts a row of hunter.search_sessions; the owner's own document names this address",
    "mesh/dead": "those rows of mesh.deliveries that are dead",
    "mesh/queues": "counted from mesh.deliveries",
    "sdr/conversations": "outreach_messages, responses and phone_messages of one lead, in order of time",
    "sdr/unsubscribe": "the page behind a link in an e-mail; it writes sdr.suppressions",
}
VERBS = {("GET", False): "list", ("POST", False): "create"} | {
    (method, True): verb for method, verb in (("GET", "get"), ("PATCH", "patch"), ("PUT", "put"), ("DELETE", "delete"))
}


def segments(function: Function, endpoint: Endpoint) -> list[str]:
    """The URL's parts as Python writes them, without the module where the URL says it."""
    parts = endpoint.path.removeprefix("/api/v1/").replace("-", "_").split("/")
    return parts[1:] if parts[0] == function.module and len(parts) > 1 else parts


def file_of(function: Function) -> str:
    return f"{function.module}/{Path(function.file).stem}"


def wrong_file(function: Function, endpoint: Endpoint) -> bool:
    other, _why = OTHER_FILES.get(endpoint.path, (None, ""))
    return file_of(function) != (other or f"{function.module}/{segments(function, endpoint)[0]}")


def wrong_handler(function: Function, endpoint: Endpoint) -> bool:
    """`deals_list`, `deals_get`, `deals_move`: the resource, then what the URL's last word or else the method says."""
    if endpoint.path in OTHER_FILES and "/deals/" not in endpoint.path:
        return False
    resource, *rest = segments(function, endpoint)
    words = [one for one in rest if not one.startswith("{")]
    verb = words[-1] if words else VERBS.get((endpoint.method, bool(rest)))
    if not words and file_of(function) in NOT_STORED:
        return not re.fullmatch(rf"{resource}(_[a-z]+)?", endpoint.handler.__name__)
    return endpoint.handler.__name__ != f"{resource}_{verb}"


def astray(functions: list[Function], is_wrong: Callable[[Function, Endpoint], bool]) -> list[str]:
    return [
        f"{endpoint.method} {endpoint.path} is {endpoint.handler.__name__} in functions/{file_of(function)}.py"
        for function in functions
        for endpoint in function.endpoints
        if is_wrong(function, endpoint)
    ]


def real() -> list[Function]:
    return list(load().values())


def test_a_url_is_answered_by_the_file_of_its_name() -> None:
    assert astray(real(), wrong_file) == []


def test_a_handler_is_named_as_its_url_and_method() -> None:
    assert astray(real(), wrong_handler) == []


def test_a_file_of_endpoints_has_a_table_of_its_name() -> None:
    stored = {name.replace(".", "/", 1) for name in tables()}
    served = {file_of(function) for function in real() if function.endpoints}
    assert served - stored == set(NOT_STORED)


def test_every_exemption_is_still_needed() -> None:
    paths = {endpoint.path for function in real() for endpoint in function.endpoints}
    assert set(OTHER_FILES) <= paths


def test_a_file_and_a_handler_of_another_name_are_seen(tmp_path: Path) -> None:
    source = """
    @http.get("/api/v1/deal-stages/{id}", allow="crm:read")
    def stages_show(id: UUID) -> None: ...
    """
    with declared(tmp_path, crm__stages=source) as functions:
        fault = ["GET /api/v1/deal-stages/{id} is stages_show in functions/crm/stages.py"]
        assert astray(functions, wrong_file) == astray(functions, wrong_handler) == fault
