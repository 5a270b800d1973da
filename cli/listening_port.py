"""Finds the port that a command listens on, and writes it as part of a URL."""

from __future__ import annotations

import socket

from cli.error_exit import stop


def bindable_port(host: str, port: int) -> int:
    """Give the port, or a free one for 0. It is tried before the server does it, so that a refusal is a sentence."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # The server does the same, so that a port that was just freed can be taken again.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            stop(f"{authority(host, port)} cannot be listened on: {error.strerror}.")
        found: int = probe.getsockname()[1]
        return found


def authority(host: str, port: int) -> str:
    """Write host and port as in a URL (RFC 3986, section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
