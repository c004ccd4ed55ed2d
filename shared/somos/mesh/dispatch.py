"""From an HTTP request to a handler and back: what every request to a function goes through."""

import contextlib
import json
import re
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from somos.kernel.refusals import NotAllowed, NotValid
from somos.kernel.text import storable, storable_json
from somos.mesh import authorization, bodies, idempotency, steps
from somos.mesh.cloud_events import ADDRESSEE
from somos.mesh.context import Context
from somos.mesh.cron_pings import answer_cron_ping, is_cron_ping
from somos.mesh.database import is_away, sqlstate
from somos.mesh.declare import Endpoint, Function, Webhook
from somos.mesh.default_path import default_path
from somos.mesh.log import bound, log
from somos.mesh.problems import (
    Broken,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMedia,
)
from somos.mesh.router import Router
from somos.mesh.runtime import Runtime, current
from somos.mesh.schemas import Download, Filter, Upload
from somos.mesh.telemetry import span
from somos.mesh.webhooks import receive, too_large


class Application:
    """Answers for the functions it is given: one, a module's, or all."""

    def __init__(self, functions: dict[str, Function], runtime: Runtime | None = None) -> None:
        self._runtime = runtime
        self.functions = functions
        edges: list[tuple[str, str, Any]] = []
        for function in functions.values():
            edges += [(e.method, e.path, e) for e in function.endpoints]
            edges += [("POST", path, w) for w in function.webhooks for path in w.paths]
        self._router = Router(edges)
        self._consumers = {(c.function, c.type): c for f in functions.values() for c in f.consumers}

    @property
    def runtime(self) -> Runtime:
        return self._runtime or current()

    def max_bytes(self, method: str, path: str, is_event: bool) -> int:
        """The largest body that may be sent there; where nobody answers, no more than anybody may send."""
        if is_event:
            return bodies.DELIVERY
        try:
            target, _ = self._match(method, path, None)
        except Problem:
            return bodies.ANONYMOUS
        return int(target.max_bytes)

    def unread(self, method: str, path: str, problem: Problem) -> Problem:
        """What the sender of a body that was not read is told."""
        if not isinstance(problem, TooLarge):
            return problem
        with contextlib.suppress(Problem):
            target, _ = self._router.match(method, path)
            if isinstance(target, Webhook):
                return too_large(target)
        return problem

    def _match(self, method: str, path: str, function: str | None) -> tuple[Any, dict[str, str]]:
        """Who answers there, and the path's parameters. Without a path, the one address that can be meant."""
        if path in ("", "/"):
            named = [self.functions[function]] if function in self.functions else self.functions.values()
            path = default_path(named, method)
        return self._router.match(method, path)

    def __call__(self, request: Request, function: str | None = None) -> Response:
        """Answer one request; `function` names the addressee of an event when several live here."""
        try:
            if is_cron_ping(request.headers):
                return answer_cron_ping(self.runtime)
            function = function or request.headers.get(ADDRESSEE)
            if "Ce-Type" in request.headers:
                return steps.receive(self.runtime, self._consumers, request, function)
            target, values = self._match(request.method, request.path, function)
            if isinstance(target, Webhook):
                return receive(self.runtime, target, request)
            return self._serve(target, values, request)
        except Problem as problem:
            return problem_response(problem)
        except Exception as error:
            return problem_response(_translate(error))

    def _serve(self, endpoint: Endpoint, values: dict[str, str], request: Request) -> Response:
        runtime = self.runtime
        principal = authorization.authorize(runtime, request.headers, endpoint.allow)
        with span(endpoint.path, _trace_of(request), method=endpoint.method) as trace:
            context = Context(
                runtime=runtime,
                principal=principal,
                function=endpoint.function,
                traceparent=trace,
                address=_address(request),
                if_match=_if_match(request),
                actor_id=principal.id if principal.is_person else None,
                patience=endpoint.patience,
            )
            token = bound.set({"function": endpoint.function, "correlation": context.correlation, "trace": trace})
            try:
                arguments = _arguments(endpoint, values, request, context)
                key = request.headers.get("Idempotency-Key")
                if key is not None and endpoint.method == "POST" and endpoint.replays:
                    upload = arguments.get(endpoint.upload_name or "")
                    return idempotency.once(
                        context, endpoint, key, request, upload, lambda: _run(endpoint, arguments, context)
                    )
                response = _run(endpoint, arguments, context)
                context.commit()
                return response
            except BaseException as error:
                context.abandon(error)
                if isinstance(error, NotAllowed | StaleDataError):
                    raise _refused(error, context.fresh(endpoint.returns)) from error
                raise
            finally:
                bound.reset(token)


def _run(endpoint: Endpoint, arguments: dict[str, Any], context: Context) -> Response:
    result = endpoint.handler(**arguments)
    if context._db is not None:
        context.db.flush()
    if isinstance(result, Response):
        return result
    if isinstance(result, Download):
        disposition = f'attachment; filename="{result.filename}"' if result.filename else "inline"
        return Response(result.content, 200, {"Content-Disposition": disposition}, content_type=result.media_type)
    if result is None:
        return Response(status=endpoint.status if endpoint.status == 204 else 204)
    headers = {}
    version = getattr(result, "version", None)
    if isinstance(version, int):
        headers["ETag"] = f'"{version}"'
    return Response(_json(endpoint, result), endpoint.status, headers, mimetype="application/json")


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _json(endpoint: Endpoint, result: Any) -> bytes:
    if isinstance(result, BaseModel):
        return result.__pydantic_serializer__.to_json(result)
    adapter = _adapters.get(endpoint.returns)
    if adapter is None:
        adapter = _adapters.setdefault(endpoint.returns, TypeAdapter(endpoint.returns))
    return adapter.dump_json(result)


def _arguments(endpoint: Endpoint, values: dict[str, str], request: Request, context: Context) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for name, kind in endpoint.params.items():
        arguments[name] = _path_value(kind, values[name])
    if endpoint.takes_context:
        arguments["ctx"] = context
    if endpoint.query is not None and endpoint.query_name is not None:
        query = _query(endpoint.query, request)
        if isinstance(query, Filter):
            context.filter = query
        arguments[endpoint.query_name] = query
    elif request.args and endpoint.method == "GET":
        raise Invalid(errors=[{"field": name, "detail": "Parâmetro desconhecido"} for name in request.args])
    if endpoint.body is not None and endpoint.body_name is not None:
        arguments[endpoint.body_name] = _body(endpoint.body, request, endpoint.max_bytes)
    if endpoint.upload_name is not None:
        arguments[endpoint.upload_name] = _upload(request, endpoint.max_bytes)
    return arguments


def _path_value(kind: type, raw: str) -> Any:
    try:
        return kind(storable(raw))
    except ValueError:
        # Not an id at all: there is no such thing, as with an id of somebody else.
        raise NotFound from None


def _query(model: type[BaseModel], request: Request) -> BaseModel:
    values: dict[str, Any] = {}
    for name, several in request.args.lists():
        kept = [storable(one) for one in several]
        values[name] = kept if _is_list(model, name) else kept[-1]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from None


def _is_list(model: type[BaseModel], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and "list[" in str(field.annotation)


def _body(model: type[BaseModel], request: Request, max_bytes: int) -> BaseModel:
    if request.mimetype not in ("application/json", ""):
        raise UnsupportedMedia
    bodies.bound(request, max_bytes)
    raw = request.get_data(cache=True)
    try:
        return model.model_validate_json(storable_json(raw) or b"{}")
    except ValidationError as error:
        raise _invalid(error) from None


def _upload(request: Request, max_bytes: int) -> Upload:
    bodies.bound(request, max_bytes)
    if request.mimetype == "multipart/form-data":
        sent = request.files.get("file")
        if sent is None:
            raise Invalid("Envie o arquivo no campo `file`", field="file")
        with sent.stream:
            return Upload(
                sent.read(), sent.mimetype or "application/octet-stream", storable(sent.filename or "") or None
            )
    return Upload(request.get_data(cache=True), request.mimetype or "application/octet-stream")


def _address(request: Request) -> str:
    """Where it came from, as the edge says; the edge overwrites the header, and functions stand behind it."""
    return request.headers.get("X-Real-Ip") or request.remote_addr or ""


def _trace_of(request: Request) -> str | None:
    """The caller's trace, in the W3C's shape or not at all: it goes into every event of this request."""
    header = request.headers.get("Traceparent", "")
    return header if re.fullmatch("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", header) else None


def _if_match(request: Request) -> int | None:
    raw = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    return int(raw) if re.fullmatch("[0-9]{1,9}", raw) else (-1 if raw and raw != "*" else None)


def _invalid(error: ValidationError) -> Invalid:
    return Invalid(
        errors=[
            {"field": ".".join(str(part) for part in fault["loc"]) or "corpo", "detail": _in_portuguese(fault)}
            for fault in error.errors(include_url=False, include_context=True, include_input=False)[:50]
        ]
    )


_SENTENCES = {
    "missing": "Campo obrigatório",
    "extra_forbidden": "Campo desconhecido",
    "json_invalid": "O corpo não é JSON válido",
    "string_too_short": "Precisa de ao menos {min_length} caractere(s)",
    "string_too_long": "Passa de {max_length} caracteres",
    "string_type": "Deve ser um texto",
    "int_type": "Deve ser um número inteiro",
    "int_parsing": "Deve ser um número inteiro",
    "bool_type": "Deve ser verdadeiro ou falso",
    "bool_parsing": "Deve ser verdadeiro ou falso",
    "uuid_parsing": "Não é um identificador válido",
    "uuid_type": "Não é um identificador válido",
    "greater_than_equal": "Deve ser no mínimo {ge}",
    "less_than_equal": "Deve ser no máximo {le}",
    "greater_than": "Deve ser maior que {gt}",
    "less_than": "Deve ser menor que {lt}",
    "literal_error": "Deve ser um destes: {expected}",
    "enum": "Deve ser um destes: {expected}",
    "too_short": "Precisa de ao menos {min_length} item(ns)",
    "too_long": "Passa de {max_length} itens",
    "list_type": "Deve ser uma lista",
    "dict_type": "Deve ser um objeto",
    "model_type": "Deve ser um objeto JSON",
    "date_from_datetime_parsing": "Não é uma data válida (AAAA-MM-DD)",
    "date_parsing": "Não é uma data válida (AAAA-MM-DD)",
    "date_type": "Não é uma data válida (AAAA-MM-DD)",
    "datetime_parsing": "Não é uma data e hora válida (ISO 8601)",
    "datetime_from_date_parsing": "Não é uma data e hora válida (ISO 8601)",
    "string_pattern_mismatch": "Não está no formato esperado",
}


def _in_portuguese(error: Any) -> str:
    """The runtime's own sentence, or the one a validator of ours raised."""
    if error["type"] == "value_error":
        return str(error.get("ctx", {}).get("error", error["msg"]))
    sentence = _SENTENCES.get(error["type"])
    try:
        return sentence.format(**error.get("ctx", {})) if sentence else "Valor não aceito"
    except KeyError:
        return "Valor não aceito"


def _refused(error: NotAllowed | StaleDataError, fresh: Any) -> Conflict:
    if isinstance(error, NotAllowed):
        return Conflict(error.detail, code=error.code, fresh=fresh)
    return Conflict("Outra pessoa alterou este registro ao mesmo tempo; leia de novo", code="lost-race", fresh=fresh)


def _translate(error: Exception) -> Problem:
    """What the database refused, said as a problem; anything else is ours to fix."""
    if isinstance(error, NotAllowed | StaleDataError):
        return _refused(error, None)
    if isinstance(error, NotValid):
        return Invalid(error.detail, field=error.field)
    if isinstance(error, DBAPIError):
        code = sqlstate(error)
        if code == "42501":
            log.warning("row_security_refused")
            return Forbidden()
        if isinstance(error, IntegrityError) or code.startswith("23"):
            return Conflict("Já existe, ou depende de algo que não existe", code="integrity")
        if code in ("40001", "40P01", "55P03"):
            return Conflict(
                "Outra operação mexia no mesmo registro; tente de novo", code="lost-race", headers={"Retry-After": "2"}
            )
        if code == "57014":
            log.warning("statement_timed_out")
            return Unavailable(
                "A consulta demorou demais; tente de novo em instantes ou peça menos de uma vez",
                code="too-slow",
                headers={"Retry-After": "5"},
            )
        if isinstance(error, OperationalError) or is_away(error):
            log.warning("database_unavailable", error=type(error).__name__, code=code)
            return Unavailable(headers={"Retry-After": "2"})
        if code.startswith("22"):
            return Invalid("Um dos valores não é aceito")
    if isinstance(error, NoConnectionFree):
        log.warning("database_busy")
        return Unavailable(headers={"Retry-After": "2"})
    if isinstance(error, HTTPException):
        # What werkzeug refuses by itself, a form of too many parts for instance.
        return TooLarge() if error.code == 413 else Problem("O pedido não pôde ser lido")
    if isinstance(error, RecursionError):
        return Invalid("O conteúdo tem níveis demais")
    log.exception("handler_failed")
    return Broken()


def problem_response(problem: Problem) -> Response:
    body = json.dumps(problem.body(), ensure_ascii=False, default=_fresh)
    return Response(body, problem.status, problem.headers, mimetype="application/problem+json")


def _fresh(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
