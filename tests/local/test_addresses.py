"""Ports that a stack of processes is told before it starts."""

import socket

from somos.local.addresses import LOOPBACK, reserved_port


def bound(port: int, *, sharing: bool) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(sharing))
    server.bind((LOOPBACK, port))
    server.listen()
    return server


def test_whoever_shares_ports_serves_on_a_held_one_and_gets_every_call() -> None:
    with reserved_port() as held, bound(held.getsockname()[1], sharing=True) as server:
        for _ in range(20):
            with socket.create_connection(server.getsockname(), timeout=5), server.accept()[0]:
                pass


def test_a_held_port_is_nobody_elses() -> None:
    with reserved_port() as held:
        others = [reserved_port() for _ in range(50)]
        try:
            assert held.getsockname() not in [other.getsockname() for other in others]
        finally:
            for other in others:
                other.close()
