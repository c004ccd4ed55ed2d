"""Real PostgreSQL and a real Redis-compatible server from wheels, for a laptop and for the tests.

`start_postgres(folder)` and `start_valkey(folder)` give a running server with its addresses. A server of the
same folder whose starter still lives is shared; one whose starter is gone is a leftover and is stopped first,
found by recorded pid and start time, never by name. A server ends with the thread that started it.
"""

from somos.local.engines.postgres import Postgres, start_postgres
from somos.local.engines.server import Engine, EngineFailed, Server
from somos.local.engines.valkey import Valkey, start_valkey

__all__ = ["Engine", "EngineFailed", "Postgres", "Server", "Valkey", "start_postgres", "start_valkey"]
