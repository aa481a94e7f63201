"""Connecting: which server, with which credentials, and what to say when there is none."""

from __future__ import annotations

import errno
import inspect
import logging
import os
import re
import socket
import ssl
from pathlib import Path
from typing import Any, Final

import nats.errors
import nkeys
from nats.aio.client import (
    DEFAULT_MAX_RECONNECT_ATTEMPTS,
    DEFAULT_RECONNECT_TIME_WAIT,
    RawCredentials,
)

from jetstow import _embedded, _nats_context
from jetstow.client import Client
from jetstow.errors import (
    AuthorizationError,
    ConnectionLostError,
    InvalidOptionError,
    NoServersError,
)

_log = logging.getLogger("jetstow.client")


async def connect(servers: str | list[str] | None = None, **options: Any) -> Client:
    """Connect to NATS; every option of nats-py's `connect` passes through.

    Without `servers`: to what `NATS_URL` names, else to the `nats` command line's selected
    context, else to the embedded server, which is started if need be and stopped when its
    last user closes. The first try is short: an address where nobody answers is reported
    within seconds. Once connected, nats-py reconnects as its options say.

    Raises `NoServersError`, `AuthorizationError`, `ContextError`, `EmbeddedServerError`.
    """
    client = Client()
    if servers is None:
        servers, found = await _find_servers(client)
        if client._hold is None and _CREDENTIALS & options.keys():
            found = {key: value for key, value in found.items() if key not in _CREDENTIALS}
        options = found | options
    try:
        await _first_connection(client, servers, options)
    except BaseException:
        await client._give_up()
        raise
    return client


async def _find_servers(client: Client) -> tuple[list[str], dict[str, Any]]:
    if url := os.environ.get("NATS_URL"):
        return [part.strip() for part in url.split(",") if part.strip()], {}
    if (context := _nats_context.selected()) is not None:
        client._context_options = context.js_options
        found = dict(context.options)
        return found.pop("servers"), found
    client._hold = await _embedded.acquire()
    return [client._hold.endpoint.url], {"token": client._hold.endpoint.token}


async def _first_connection(
    client: Client, servers: str | list[str], options: dict[str, Any]
) -> None:
    """Connect with a few tries, where nats-py would go on for two minutes."""
    connecting, failures = True, list[Exception]()
    tell_user = options.get("error_cb")
    if tell_user is not None and not inspect.iscoroutinefunction(tell_user):
        raise nats.errors.InvalidCallbackTypeError
    _check_credentials(options.get("user_credentials"))
    if options.get("nkeys_seed_str") == "":
        raise InvalidOptionError("there is no valid seed in nkeys_seed_str")

    async def on_error(error: Exception) -> None:
        if connecting:
            failures.append(error)
        if tell_user is not None:
            await tell_user(error)
        else:
            _log.warning("%s", error)

    patient = {key: value for key, value in _PATIENT.items() if key not in options}
    hasty = {key: _HASTY[key] for key in patient}
    try:
        await client.connect(servers, **options | hasty | {"error_cb": on_error})
    except (nats.errors.Error, OSError) as error:
        if not failures and not isinstance(error, nats.errors.NoServersError):
            # Not the servers' fault: an address or an option that cannot be. What led to it
            # may quote a password.
            raise _nonsense(error) from None
        raise _refused(servers, failures or [error]) from error
    except nkeys.NkeysError:
        named = ", ".join(sorted(_SEEDS & options.keys()))
        raise InvalidOptionError(f"there is no valid seed in {named}") from None
    if not client.is_connected:  # nats-py does not notice when a server hangs up just then
        raise _refused(servers, failures or [nats.errors.UnexpectedEOF()])
    connecting = False
    client.options.update(patient)


def _check_credentials(named: Any) -> None:
    """nats-py looks for a missing part without end, and takes a missing file for the server's.

    Raises `InvalidOptionError`, `FileNotFoundError`.
    """
    if isinstance(named, RawCredentials):
        told = str(named).encode()
    elif isinstance(named, str | Path):
        told = Path(named).read_bytes()
    else:
        for path in named or ():  # a JWT's file and a seed's
            Path(path).read_bytes()
        return
    if not all(part in told for part in _nats_context.CREDS_PARTS):
        where = "" if isinstance(named, RawCredentials) else f": {named}"
        raise InvalidOptionError(f"user_credentials are not a user's JWT and seed{where}")


# What tells the server who we are. Who says one of these here wants none of a context's.
_CREDENTIALS: Final = frozenset({
    "user", "password", "token", "user_credentials", "nkeys_seed", "nkeys_seed_str",
    "signature_cb", "user_jwt_cb",
})  # fmt: skip

# Those in which there is a seed.
_SEEDS: Final = frozenset({"user_credentials", "nkeys_seed", "nkeys_seed_str"})

# How nats-py tries again by default, and how it does while there is no connection yet.
_PATIENT: Final[dict[str, Any]] = {
    "max_reconnect_attempts": DEFAULT_MAX_RECONNECT_ATTEMPTS,
    "reconnect_time_wait": DEFAULT_RECONNECT_TIME_WAIT,
}
_HASTY: Final[dict[str, Any]] = {"max_reconnect_attempts": 1, "reconnect_time_wait": 0.1}


def _refused(servers: str | list[str], failures: list[Exception]) -> ConnectionLostError:
    listed = [servers] if isinstance(servers, str) else servers
    # An address may carry a password before its @.
    shown = (server.rpartition("@")[2].rpartition("//")[2] for server in listed)
    where = ", ".join(shown) or "no address at all"
    for failure in failures:
        if "authorization violation" in str(failure).lower():
            return AuthorizationError(f"the NATS server at {where} refused the credentials")
    # A server that refuses our certificate says so, or just hangs up: the next try may differ.
    telling = next((error for error in failures if isinstance(error, ssl.SSLError)), failures[-1])
    return NoServersError(f"cannot connect to NATS at {where}: {_reason(telling)}")


def _nonsense(error: Exception) -> Exception:
    """The address is not quoted: what is wrong with it may be a character of a password."""
    if type(error) is nats.errors.Error and "url" in str(error).lower():
        return InvalidOptionError("this is no URL of a NATS server: write nats://host:port")
    return error


def _reason(error: Exception) -> str:
    """Why there is no connection, in words of ours where a socket or TLS has its own."""
    # aiohttp, which speaks for websockets, wraps what it met.
    met = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    if isinstance(met, Exception):
        return _reason(met)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'no reason given').lower().replace('_', ' ')}"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, TimeoutError):
        return "there was no answer in time"
    said = str(error).removeprefix("nats: ").partition("\n")[0]
    if isinstance(error, OSError):
        # asyncio tells of several tries, to a host of several addresses, in one sentence.
        number = re.search(r"\[Errno (\d+)\]", said)
        code = error.errno or (int(number[1]) if number else 0)
        if code == errno.ECONNREFUSED:
            return "nobody listens there"
        return os.strerror(code) if code > 0 else said or type(error).__name__
    return said or type(error).__name__
