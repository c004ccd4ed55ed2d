"""What is missing or wrong in a person's settings, all of it at once, before anything starts."""

import socket
from collections.abc import Mapping

from somos.local.environment import OUTSIDE


def problems(given: Mapping[str, str], settings: Mapping[str, str]) -> list[str]:
    """One line for each; nothing is imported or called for what the stack stands in for itself."""
    faults = []
    for one, other in (
        ("DATABASE_URL", "DATABASE_OWNER_URL"),
        ("SOMOS_JWT_PRIVATE_KEY", "SOMOS_JWT_PUBLIC_KEY"),
    ):
        faults += [f"{b}: falta definir, porque {a} está definida." for a, b in ((one, other), (other, one))
                  if given.get(a) and not given.get(b)]  # fmt: skip
    if any(given.get(name) for name in OUTSIDE):
        faults += _outside(settings)
    if given.get("DATABASE_URL") and given.get("DATABASE_OWNER_URL"):
        faults += _database(given["DATABASE_URL"], given["DATABASE_OWNER_URL"])
    if given.get("REDIS_URL"):
        faults += _redis(given["REDIS_URL"])
    return faults


def _outside(settings: Mapping[str, str]) -> list[str]:
    from somos import wiring
    from somos.settings import Settings

    return wiring.problems(Settings.from_environment(settings), wiring.ANSWERS)


def _database(url: str, owner_url: str) -> list[str]:
    """Both roles connect, and row-level security binds the application's."""
    faults, users = [], {}
    for name, address in (("DATABASE_URL", url), ("DATABASE_OWNER_URL", owner_url)):
        try:
            user, free = _who(address)
        except Exception as error:
            faults.append(f"{name}: {_short(error)}")
            continue
        users[name] = user
        if name == "DATABASE_URL" and free:
            faults.append(
                f"{name}: o papel {user} passa por cima da segurança por linha; use um sem SUPERUSER e sem BYPASSRLS."
            )
    if len(users) == 2 and len(set(users.values())) == 1:
        faults.append("DATABASE_URL: use um papel que não seja o dono das tabelas (o de DATABASE_OWNER_URL).")
    return faults


def _who(address: str) -> tuple[str, bool]:
    """The role's name, and whether it is free of row-level security."""
    from sqlalchemy import make_url, text

    from somos.mesh.database import engine_for

    url = make_url(address)
    # A host that never answers would hold us for minutes inside the driver.
    socket.create_connection((url.host or "", url.port or 5432), timeout=5).close()
    engine = engine_for(address, pool_size=1)
    try:
        with engine.connect() as connection:
            powers = text("select rolname, rolsuper or rolbypassrls from pg_roles where rolname = current_user")
            row = connection.execute(powers).one()
            return str(row[0]), bool(row[1])
    finally:
        engine.dispose()


def _redis(url: str) -> list[str]:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        client = redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5, retry=Retry(NoBackoff(), 0))
        try:
            client.ping()
        finally:
            client.close()
    except (redis.RedisError, ValueError) as error:
        return [f"REDIS_URL: {_short(error)}"]
    return []


def _short(error: Exception) -> str:
    """The cause in one line, which quotes no address: addresses hold passwords."""
    cause = error.__cause__ or error
    words = str(getattr(cause, "orig", cause)).splitlines() or [type(cause).__name__]
    if isinstance(cause, ValueError) or "parse" in words[0].lower():
        return "não é um endereço válido."
    return f"não respondeu ({words[0][:160]})."
