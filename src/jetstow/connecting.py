"""Connecting: which server, with which credentials, and what to say when there is none."""

from __future__ import annotations

import inspect
import logging
import os
import ssl
from pathlib import Path
from typing import Any, Final

import nats.errors
from nats.aio.client import (
    DEFAULT_MAX_RECONNECT_ATTEMPTS,
    DEFAULT_RECONNECT_TIME_WAIT,
    RawCredentials,
)

from jetstow import contexts, embedded
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
    if (context := contexts.selected()) is not None:
        named = {"domain": context.js_domain, "prefix": context.js_prefix}
        client._context_options = {key: value for key, value in named.items() if value}
        found = dict(context.options)
        return found.pop("servers"), found
    client._hold = await embedded.acquire()
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
            raise error from None
        raise _refused(servers, failures or [error]) from error
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
        return
    if not all(part in told for part in contexts.CREDS_PARTS):
        where = "" if isinstance(named, RawCredentials) else f": {named}"
        raise InvalidOptionError(f"user_credentials are not a user's JWT and seed{where}")


# What tells the server who we are. Who says one of these here wants none of a context's.
_CREDENTIALS: Final = frozenset({
    "user", "password", "token", "user_credentials", "nkeys_seed", "nkeys_seed_str",
    "signature_cb", "user_jwt_cb",
})  # fmt: skip

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
    why = str(telling).removeprefix("nats: ") or type(telling).__name__
    return NoServersError(f"cannot connect to NATS at {where}: {why}")
