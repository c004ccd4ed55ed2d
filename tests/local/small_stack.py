"""`somos up` with small real parts instead of the product's: `python small_stack.py PORT [--once STATUS]`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from somos.local.environment import Ports
from somos.local.supervisor import Part
from somos.local.up import Refused, Wishes, up
from tests.harness.engines import answers

LISTENS = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""


def parts(_folder: Path, ports: Ports, _embedded: set[str], _settings: Mapping[str, str], _people: bool) -> list[Part]:
    def part(name: str, port: int, *after: str) -> Part:
        return Part(name, lambda: [sys.executable, "-c", LISTENS, str(port)], lambda _pid: answers(port), after=after)

    return [part("sandbox", ports.sandbox), part("gateway", ports.gateway, "sandbox")]


def main() -> int:
    port, *once = sys.argv[1:]
    wishes = Wishes(int(port), any_port=port == "0", story=bool(once), once=bool(once))
    tale = [sys.executable, "-c", f"import sys; print('era uma vez', flush=True); sys.exit({once[-1] if once else 0})"]
    try:
        return up(wishes, lambda line: print(line, flush=True), parts, tale)
    except Refused as refused:
        print(f"recusado: {refused}", flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
