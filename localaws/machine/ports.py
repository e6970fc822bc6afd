"""Draw loopback ports for servers that take a moment until they listen."""

import random
import socket

# Below what a system hands out by itself (from 32768 on Linux, 49152 on macOS): nobody is given one of these meanwhile.
_PORTS = range(10_000, 20_000)
ACCOUNT_PORTS = range(20_000, 30_000)  # for an account whose port nobody names: no cluster of Flink draws one of these
_draw = random.SystemRandom()  # two processes must not draw the same, whatever the seed of `random` is


def try_port(port: int) -> None:
    """Listen on a loopback port for a moment, as a server would; raises OSError where somebody has it."""
    with socket.create_server(("127.0.0.1", port)):
        pass


def is_free(port: int) -> bool:
    """Return whether a server could listen on this loopback port now."""
    try:
        try_port(port)
    except OSError:
        return False
    return True


def free_port(among: range = _PORTS) -> int:
    """Draw a loopback port that nobody listens on at this moment."""
    while not is_free(port := _draw.choice(among)):
        pass
    return port
