"""The derived OpenAPI is what the API does: no 500, no undocumented status, no answer outside its schema, for any role.

Schemathesis makes right and wrong requests, once per operation and the same at every run. They go through the
functions-framework app, half of them aimed at rows that exist and are the asker's own: all of them as Admin, and a
part, another one each, as every other role.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import flask
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky, FlakyStrategyDefinition, Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from somos.mesh import host
from somos.policy.grants import allows
from tests.contract.asking import document, endpoints, smallest
from tests.contract.conftest import Caller
from tests.contract.rows import PEOPLE, Rows
from tests.harness.mesh import Mesh

Come = Callable[[str], Caller]
Undone = Callable[[], AbstractContextManager[None]]

ROLES = ("Admin", "Diretor", "Comercial", "Cliente", "key")
EXAMPLES = {GenerationMode.POSITIVE: 10, GenerationMode.NEGATIVE: 4}
PARTS = 4  # for the test processes to share
CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# A provider's signature is not for the generator to make; tests/contract/test_webhooks_ten_times.py does.
SIGNED_ELSEWHERE = {"POST /webhook/email", "POST /webhook/whatsapp"}


@pytest.fixture
def served(mesh: Mesh) -> flask.Flask:
    """What runs in production, over this test's transaction."""
    del mesh  # its runtime is the one in use
    return host.app()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_answer_is_a_documented_one(caller: Come, undone: Undone, served: flask.Flask, part: int) -> None:
    callers = {who: caller(who) for who in ROLES}
    answered: dict[str, set[int]] = defaultdict(set)
    wrong = []
    for operation in list(operations(served))[part::PARTS]:
        made = requests_of(operation)
        for number, (who, asking) in enumerate(callers.items()):
            headers = {"Authorization": f"Bearer {getattr(asking.credential, 'token', asking.credential)}"}
            for case in requests_as(operation, made if who == "Admin" else made[number :: len(ROLES)], asking):
                with undone():
                    answer = case.call(headers=headers)
                answered[operation.label].add(answer.status_code)
                try:
                    case.validate_response(answer, checks=CHECKS)
                except FailureGroup as failures:
                    wrong += [f"{who}: {one}\n{case.as_curl_command()}" for one in failures.exceptions]
    assert not wrong, "\n\n".join(wrong[:20])
    unproved = {label for label, statuses in answered.items() if min(statuses) >= 300}
    assert unproved <= SIGNED_ELSEWHERE, "no request of these succeeds, so their success is not looked at"


def operations(app: flask.Flask) -> Iterator[APIOperation]:
    """All of them; who asks is for the test to say, not for the generator."""
    content = json.loads(json.dumps(document()))
    for path in content["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    schema = schemathesis.openapi.from_dict(content)
    schema.app = app
    for found in schema.get_all_operations():
        yield found.ok()


def requests_of(operation: APIOperation) -> list[Case]:
    """Right ones and wrong ones."""
    made: list[Case] = []
    for mode, examples in EXAMPLES.items():

        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(mode))
        def collect(case: Case) -> None:
            made.append(case)

        with suppress(Unsatisfiable, Flaky, FlakyStrategyDefinition):  # there is nothing, or no more, to get wrong
            collect()
    return made


def requests_as(operation: APIOperation, made: list[Case], asking: Caller) -> Iterator[Case]:
    """The smallest valid one and all of these, every other one aimed; a single one where the door is shut."""
    endpoint = next((one for one in endpoints() if f"{one.method} {one.path}" == operation.label), None)
    if endpoint is None:  # a webhook
        yield from made
        return
    ask = json.loads(json.dumps(vars(smallest(endpoint, asking.rows)) | {"endpoint": None}, default=str))
    if not allows(asking.principal, endpoint.allow):
        yield from made[:1]
        return
    body = {"body": ask["body"], "media_type": "application/json"} if ask["body"] is not None else {}
    body = {"body": ask["upload"].encode(), "media_type": "text/csv"} if ask["upload"] is not None else body
    yield operation.Case(path_parameters=ask["path"], query=ask["query"], **body)
    for number, case in enumerate(made):
        if number % 2 == 0:
            case.path_parameters = ask["path"]
            aim(case.query, asking.rows)
            aim(case.body, asking.rows)
        yield case


def aim(values: Any, rows: Rows) -> None:
    """At rows that exist, wherever the id of one may stand."""
    for name, value in values.items() if isinstance(values, dict) else ():
        row = rows.owner if name in PEOPLE else rows.named(name) if name.endswith(("_id", "ids")) else None
        if isinstance(value, dict):
            aim(value, rows)
        elif row is not None and isinstance(value, str):
            values[name] = str(row)
        elif row is not None and isinstance(value, list) and value and isinstance(value[0], str):
            values[name] = [str(row)]
