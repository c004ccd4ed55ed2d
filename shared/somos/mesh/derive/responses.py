"""What an endpoint may answer: its success, and every problem that the runtime or its kind can raise."""

from typing import Any

from somos.mesh import problems
from somos.mesh.declare import Endpoint
from somos.mesh.derive.examples import Examples
from somos.mesh.derive.models import Models, gives_json, has_version
from somos.mesh.derive.raised import raised_by
from somos.mesh.schemas import Download

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "Um erro, segundo a RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "pattern": "^/problems/[a-z0-9-]+$", "description": "Estável; compare com este."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "Uma frase para quem lê."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "detail"],
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
        "fresh": {"description": "O estado atual, quando o conflito é com ele."},
    },
}
SUCCESS = {200: "Sucesso", 201: "Criado", 202: "Aceito; o trabalho continua", 204: "Feito"}


def answers(endpoint: Endpoint, models: Models, examples: Examples) -> dict[str, Any]:
    """Responses by status, the success first."""
    responses: dict[str, Any] = {str(endpoint.status): _success(endpoint, models, examples)}
    for problem in sorted(_problems(endpoint), key=lambda problem: problem.status):
        responses[str(problem.status)] = {"$ref": f"#/components/responses/Problem{problem.status}"}
    return responses


def shared_answers() -> dict[str, Any]:
    """One entry per problem, for `components/responses`."""
    return {f"Problem{problem.status}": _problem(problem) for problem in ALL}


ALL: tuple[type[problems.Problem], ...] = (
    problems.Problem,
    problems.Unauthorised,
    problems.Forbidden,
    problems.NotFound,
    problems.Conflict,
    problems.Stale,
    problems.TooLarge,
    problems.UnsupportedMedia,
    problems.Invalid,
    problems.TooMany,
    problems.Unavailable,
)


def _problems(endpoint: Endpoint) -> set[type[problems.Problem]]:
    # An id in the path or the body may name what this principal does not see; the database may be away.
    kinds: set[type[problems.Problem]] = {problems.NotFound, problems.TooMany, problems.Unavailable}
    if endpoint.allow != "anyone":
        kinds |= {problems.Unauthorised, problems.Forbidden}
    else:
        kinds |= {problems.Unauthorised}  # a login refused, a link expired
    if endpoint.method != "GET":
        kinds |= {problems.Conflict, problems.Invalid}
        if endpoint.params:
            kinds |= {problems.Stale}
    if endpoint.method == "GET" or endpoint.query is not None:
        kinds |= {problems.Invalid}
    if endpoint.body is not None or endpoint.upload_name is not None:
        kinds |= {problems.Problem, problems.TooLarge, problems.UnsupportedMedia}
    raised = {problem.status for problem in raised_by(endpoint.handler)}
    return kinds | {known for known in ALL if known.status in raised}


def _success(endpoint: Endpoint, models: Models, examples: Examples) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": SUCCESS.get(endpoint.status, "Sucesso")}
    if endpoint.returns is Download:
        answer["content"] = {"*/*": {"schema": {"type": "string", "contentEncoding": "binary"}}}
        answer["headers"] = {"Content-Disposition": {"schema": {"type": "string"}}}
    elif gives_json(endpoint):
        schema = models.reference(endpoint.returns, "serialization")
        answer["content"] = {"application/json": {"schema": schema, **examples.shown(schema)}}
        if has_version(endpoint.returns):
            answer["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
    return answer


def _problem(problem: type[problems.Problem]) -> dict[str, Any]:
    example = problem().body()
    return {
        "description": problem.title,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        },
    }
