"""The addresses that a gateway listens on: `HOST:PORT`."""

from __future__ import annotations

import errno
import ipaddress
import socket

from jetstow.cli.errors import CliError, UsageError, cause


class AddressInUseError(CliError):
    """A program listens on the address."""


def listen(option: str, address: str) -> socket.socket:
    """Return a socket that listens on the address of an option.

    Raises: `UsageError`, `AddressInUseError`, `CliError`.
    """
    from jetstow.s3 import server

    host, port = parse_address(option, address)
    try:
        return server.listen(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"{option} {address}: another program uses this address: choose another one"
            raise AddressInUseError(message) from error
        raise CliError(f"{option} {address}: {cause(error)}") from error


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
