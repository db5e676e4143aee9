"""The socket that the host listens on, or a supervisor on its behalf."""

import socket

from devkit.host.errors import StartError


def listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1.

    Args:
        port: 0 for any free one.

    Raises:
        StartError: the port is taken.
    """
    # Without the protocol's number asyncio leaves Nagle's algorithm on: 40 ms an answer.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listening.close()
        raise StartError(
            f"Cannot listen on port {port}: {error}. Choose one with --port."
        ) from error
    listening.listen(2048)
    listening.settimeout(0)
    return listening
