"""`python -m infra.sandbox`: the outside world as a process of its own."""

import argparse
import signal
import socket
import sys

from infra.sandbox.config import Config
from infra.sandbox.serve import Sandbox


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7070)
    parser.add_argument("--state", default=":memory:", help="SQLite file that remembers the world")
    arguments = parser.parse_args()
    # Written whichever thread the kernel tells; a handler in Python runs only once the first thread happens to wake.
    stopped, stopper = socket.socketpair()
    stopper.setblocking(False)
    signal.set_wakeup_fd(stopper.fileno())
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        sandbox = Sandbox(arguments.host, arguments.port, arguments.state, Config.from_env())
    except OSError as problem:
        address = f"{arguments.host}:{arguments.port}"
        print(f"sandbox: não consegui abrir {address}: {problem.strerror}", file=sys.stderr)
        return 1
    print(f"sandbox: {sandbox.url}", flush=True)
    stopped.recv(1)
    sandbox.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
