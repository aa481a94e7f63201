"""The addresses that a gateway listens on: `HOST:PORT`."""

from __future__ import annotations

import ipaddress

from jetstow.cli.errors import UsageError


def parse_address(option: str, address: str) -> tuple[str, int]:
    """Return the host and the port of an option. Raises: `UsageError`."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdigit() and int(port) < 65536):
        raise UsageError(f"{option} {address} must be HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def authority(host: str, port: int) -> str:
    """Return a host and a port as a URL has them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
