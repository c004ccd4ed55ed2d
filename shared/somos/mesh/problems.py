"""Errors people and programs can act on: RFC 9457 problem+json, with sentences in Portuguese."""

from typing import Any


class Problem(Exception):
    """An answer that is not a success. `code` is stable; `detail` is for a person."""

    status = 400
    code = "bad-request"
    title = "Pedido inválido"

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        field: str | None = None,
        errors: list[dict[str, str]] | None = None,
        fresh: Any = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or self.code
        self.errors = errors if errors is not None else [{"field": field, "detail": self.detail}] if field else []
        self.fresh = fresh
        self.headers = headers or {}

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        if self.fresh is not None:
            body["fresh"] = self.fresh
        return body


class Unauthorised(Problem):
    status, code, title = 401, "unauthorised", "Entre para continuar"


class Forbidden(Problem):
    status, code, title = 403, "forbidden", "Seu perfil não permite esta ação"


class NotFound(Problem):
    """Missing, or not visible to this principal: the answer is the same."""

    status, code, title = 404, "not-found", "Não encontrado"


class MethodNotAllowed(Problem):
    status, code, title = 405, "method-not-allowed", "Método não permitido neste endereço"


class Conflict(Problem):
    """The state does not allow it; `fresh` carries the state as it is now."""

    status, code, title = 409, "conflict", "Isto conflita com o estado atual"


class Stale(Problem):
    status, code, title = 412, "stale", "O registro mudou desde a sua leitura"


class TooLarge(Problem):
    status, code, title = 413, "too-large", "O conteúdo enviado é grande demais"


class TooSlow(Problem):
    status, code, title = 408, "too-slow", "O envio demorou demais; tente de novo"


class Incomplete(Problem):
    """The sender left before all of it had arrived: what there is of it is not what was meant."""

    code, title = "incomplete", "O envio foi interrompido"


class UnsupportedMedia(Problem):
    status, code, title = 415, "unsupported-media", "Envie JSON (Content-Type: application/json)"


class Invalid(Problem):
    status, code, title = 422, "invalid", "Alguns campos não estão corretos"


class TooMany(Problem):
    """`headers={"Retry-After": seconds}` says when to come back."""

    status, code, title = 429, "too-many", "Muitas tentativas; aguarde um pouco"


class Unavailable(Problem):
    status, code, title = 503, "unavailable", "Serviço indisponível no momento; tente de novo"


class Broken(Problem):
    """Ours to fix; the trace id finds it in the logs."""

    status, code, title = 500, "internal", "Algo deu errado do nosso lado"
