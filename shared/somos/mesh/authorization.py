"""Who sends a request to an endpoint, and whether the permission matrix allows it.

Redis and cryptography load when the first credential is checked, not when a unit starts.
"""

from werkzeug.datastructures import Headers

from somos.mesh import clock
from somos.mesh.database import Acting, transaction
from somos.mesh.log import log
from somos.mesh.problems import Forbidden, TooMany, Unauthorised
from somos.mesh.runtime import Runtime
from somos.policy.grants import ANYONE, allows, is_fresh_required
from somos.policy.keys import is_key
from somos.policy.limits import Limit
from somos.policy.principals import ANONYMOUS, SYSTEM, Principal

KEY_RATE = 300
_INVALID_TOKEN = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


def authorize(runtime: Runtime, headers: Headers, permission: str) -> Principal:
    """The principal behind a request.

    Raises Unauthorised without valid credentials, Forbidden when the matrix says no, TooMany for a key past
    its rate. Who signed out or was demoted is out within a second; for money, sends and accounts at once, as
    these read the user again.
    """
    if permission == ANYONE:
        return ANONYMOUS
    principal = authenticate(runtime, headers)
    if not allows(principal, permission):
        raise Forbidden
    if principal.is_person and is_fresh_required(permission):
        with transaction(runtime.engine, Acting(SYSTEM, "authorization")) as db:
            now_is = runtime.accounts.fresh(db, principal, clock.now())
        if now_is is None:
            raise Unauthorised("Seu acesso foi encerrado; entre de novo", headers=_INVALID_TOKEN)
        principal = now_is
        if not allows(principal, permission):
            raise Forbidden
    return principal


def authenticate(runtime: Runtime, headers: Headers) -> Principal:
    """From `Authorization: Bearer <access token or API key>`. Raises Unauthorised."""
    scheme, _, credential = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise Unauthorised(headers={"WWW-Authenticate": "Bearer"})
    if is_key(credential):
        return _by_key(runtime, credential)
    from somos.policy.tokens import InvalidToken

    try:
        principal = runtime.verifier.verify(credential, clock.now())
    except InvalidToken as error:
        raise Unauthorised("Sua sessão não é válida ou expirou; entre de novo", headers=_INVALID_TOKEN) from error
    if runtime.ended.covers(principal):
        raise Unauthorised("Seu acesso foi encerrado; entre de novo", headers=_INVALID_TOKEN)
    return principal


def enforce_limit(runtime: Runtime, rate: Limit, subject: str) -> None:
    """Raises TooMany past the rate; open while Redis is away."""
    from redis import RedisError

    try:
        wait = rate.hit(runtime.redis, subject, clock.now())
    except RedisError as error:
        log.warning("rate_limit_unavailable", limit=rate.name, error=type(error).__name__)
        return
    if wait:
        raise TooMany(headers={"Retry-After": str(wait)})


def _by_key(runtime: Runtime, secret: str) -> Principal:
    with transaction(runtime.engine, Acting(SYSTEM, "authorization")) as db:
        principal = runtime.accounts.of_key(db, secret, clock.now())
    if principal is None:
        raise Unauthorised("Chave de API inválida, revogada ou expirada")
    enforce_limit(runtime, Limit("api-key", principal.per_minute or KEY_RATE, 60), str(principal.id))
    return principal
