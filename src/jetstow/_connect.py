"""`connect`: find the server and the credentials, connect, and report why that failed."""

from __future__ import annotations

import errno
import inspect
import logging
import os
import re
import socket
import ssl
from pathlib import Path
from typing import Any, Final, Unpack

import nats.errors
from nats.aio.client import (
    DEFAULT_MAX_RECONNECT_ATTEMPTS,
    DEFAULT_RECONNECT_TIME_WAIT,
    RawCredentials,
)

from jetstow._core.aio.awaitables import AwaitableContext
from jetstow._core.aio.cancellation import CLEANUP_GRACE, uncancelled
from jetstow._core.protocol.duration import options_in_seconds
from jetstow._core.protocol.option_names import check_option_names
from jetstow._core.transport.tls import TLSNotOfferedError
from jetstow._credentials import has_jwt_and_seed, override_options, read_credentials
from jetstow.client import Client
from jetstow.errors import (
    AuthorizationError,
    ConnectionLostError,
    InvalidOptionError,
    NoServersError,
)
from jetstow.types import ConnectOptions

_log = logging.getLogger("jetstow.client")


def connect(
    servers: str | list[str] | None = None, **options: Unpack[ConnectOptions]
) -> AwaitableContext[Client]:
    """Connect to NATS: `async with jetstow.connect() as nc`, or `nc = await jetstow.connect()`.

    `servers` is a URL or a list of URLs (`nats://host:port`). Without it, the servers are, in
    this order, those of `NATS_URL` (separated by commas), those of the context that the `nats`
    command has selected, or the embedded server. The embedded server starts if it is not running,
    and stops when its last client closes.

    A URL with `tls://`, or an option for TLS, requires TLS on every connection, of all servers.

    The options are those of nats-py's `connect` (`jetstow.types.ConnectOptions`). The first
    connection is attempted twice at most per server unless `max_reconnect_attempts` or
    `reconnect_time_wait` is given. After that, nats-py reconnects as its options specify. Without
    `error_cb`, errors are logged.

    Raises: `InvalidOptionError` (the option does not exist, or a URL or a seed is malformed),
    `NoServersError`, `AuthorizationError`, `ContextError`, `EmbeddedServerError`.
    """
    check_option_names("connect()", options, ConnectOptions.__optional_keys__ | {"servers"})
    return AwaitableContext(lambda: _connect(servers, options_in_seconds(options)))


async def _connect(servers: str | list[str] | None, options: dict[str, Any]) -> Client:
    client = Client()
    if servers is None:
        servers, defaults = await _find_servers(client)
        is_embedded = client._lease is not None
        options = defaults | options if is_embedded else override_options(defaults, options)
    try:
        await _connect_first(client, servers, options)
    except BaseException:
        await uncancelled(client._give_up(), CLEANUP_GRACE)
        raise
    return client


async def _find_servers(client: Client) -> tuple[list[str], dict[str, Any]]:
    """Return the default servers, and the options that belong to them."""
    if url := os.environ.get("NATS_URL"):
        return [part.strip() for part in url.split(",") if part.strip()], {}
    # Imported here as few programs need both.
    from jetstow import _nats_context  # noqa: PLC0415

    if (context := _nats_context.load_selected()) is not None:
        client._context_options = context.js_options
        options = dict(context.options)
        return options.pop("servers"), options
    from jetstow import _embedded  # noqa: PLC0415

    client._lease = await _embedded.acquire()
    return [client._lease.endpoint.url], {"token": client._lease.endpoint.token}


async def _connect_first(client: Client, servers: str | list[str], options: dict[str, Any]) -> None:
    """Connect with few attempts: with its defaults, nats-py would try for two minutes."""
    connecting, failures = True, dict[str, Exception]()
    log = _ErrorLog(client, servers)
    error_cb = options.get("error_cb")
    if error_cb is not None and not inspect.iscoroutinefunction(error_cb):
        raise nats.errors.InvalidCallbackTypeError
    _check_schemes(servers)
    _check_credentials(options.get("user_credentials"))
    if options.get("nkeys_seed_str") == "":
        raise _invalid_seed("nkeys_seed_str")

    async def on_error(error: Exception) -> None:
        if connecting:
            # Each different one, in the order of the last: attempts may go on without limit.
            failures.pop(repr(error), None)
            failures[repr(error)] = error
        if error_cb is not None:
            await error_cb(error)
        elif client._lease is None or not client._lease.is_released:
            # The release at the end of the process may stop the server of an open connection.
            log.add(error, connecting=connecting)

    defaults = {key: value for key, value in _RECONNECT_DEFAULTS.items() if key not in options}
    first = {key: _FIRST_CONNECTION[key] for key in defaults}
    try:
        await client.connect(servers, **options | first | {"error_cb": on_error})
    except (nats.errors.Error, OSError) as error:
        if not failures and not isinstance(error, nats.errors.NoServersError):
            # Not a failure of a server, but of an option. `from None`: the cause of a malformed
            # URL may quote a password.
            raise _option_error(error) from None
        # `from None`: nats-py's own error has no reason.
        raise _connection_error(servers, [*failures.values()] or [error]) from None
    except _nkeys_error():
        raise _invalid_seed(", ".join(sorted(_SEEDS & options.keys()))) from None
    # nats-py reports success when a server closes the connection after the first PING.
    if not client.is_connected:
        causes = [*failures.values()] or [nats.errors.UnexpectedEOF()]
        raise _connection_error(servers, causes)
    connecting = False
    client.options.update(defaults)


class _ErrorLog:
    """Logs the errors of a client that has no `error_cb`.

    A connection that fails is no warning, as the calls that need it raise: each different reason is
    logged once until the client is connected again, with the level `INFO`. It is a warning if a
    server refuses to connect the client again, or cannot be trusted.
    """

    def __init__(self, client: Client, servers: str | list[str]) -> None:
        self._client = client
        self._servers = servers
        self._reasons: set[str] = set()
        self._reconnects = 0

    def add(self, error: Exception, *, connecting: bool) -> None:
        """Log an error, which `connect` reports as well if it is `connecting`."""
        is_of_connection = isinstance(error, ConnectionError | nats.errors.UnexpectedEOF)
        if self._client.is_connected and not is_of_connection:
            _log.warning("%s", error)
            return
        if self._reconnects != (reconnects := self._client.stats["reconnects"]):
            self._reconnects = reconnects
            self._reasons.clear()
        if (reason := _reason(error)) in self._reasons:
            return
        self._reasons.add(reason)
        is_refused = isinstance(error, _TLS_ERRORS) or _is_authorization_violation(error)
        level = logging.WARNING if is_refused and not connecting else logging.INFO
        addresses = _addresses(self._servers)
        _log.log(level, "the connection to NATS at %s failed: %s", addresses, reason)


def _nkeys_error() -> type[Exception]:
    """Return the class of the errors of `nkeys`; only the credentials of few users need it."""
    import nkeys  # noqa: PLC0415

    return nkeys.NkeysError


def _check_credentials(credentials: Any) -> None:
    """Check that the JWT and the seed are there.

    nats-py searches for a missing part in an endless loop, and reports a missing file as a
    failure of the server.

    Raises: `InvalidOptionError`, `OSError` (the file cannot be read).
    """
    if isinstance(credentials, RawCredentials):
        content = str(credentials).encode()
    elif isinstance(credentials, str | Path):
        content = read_credentials(credentials)
    else:
        for path in credentials or ():  # the file of a JWT and that of a seed
            read_credentials(path)
        return
    if not has_jwt_and_seed(content):
        source = "" if isinstance(credentials, RawCredentials) else f": {credentials}"
        raise InvalidOptionError(
            f"user_credentials must have the JWT and the NKey seed of a user{source}"
        )


# Options that have an NKey seed.
_SEEDS: Final = frozenset({"user_credentials", "nkeys_seed", "nkeys_seed_str"})

_TLS_ERRORS: Final = (ssl.SSLError, TLSNotOfferedError)

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE | re.ASCII)
# As nats-py spells them: in upper case, it takes them for host names.
_NATS_SCHEMES: Final = frozenset({"nats", "tls", "ws", "wss"})

# nats-py's defaults, which apply once the client is connected, and what applies before.
_RECONNECT_DEFAULTS: Final[dict[str, Any]] = {
    "max_reconnect_attempts": DEFAULT_MAX_RECONNECT_ATTEMPTS,
    "reconnect_time_wait": DEFAULT_RECONNECT_TIME_WAIT,
}
_FIRST_CONNECTION: Final[dict[str, Any]] = {
    "max_reconnect_attempts": 1,
    "reconnect_time_wait": 0.1,
}


def _addresses(servers: str | list[str]) -> str:
    """Return hosts and ports of URLs: before its @, a URL may have a password."""
    urls = [servers] if isinstance(servers, str) else servers
    return ", ".join(url.rpartition("@")[2].rpartition("//")[2] for url in urls)


def _connection_error(servers: str | list[str], failures: list[Exception]) -> ConnectionLostError:
    if not servers:
        return NoServersError("cannot connect to NATS: the list of servers is empty")
    addresses = _addresses(servers)
    for failure in failures:
        if _is_authorization_violation(failure):
            return AuthorizationError(
                f"the NATS server at {addresses} refused the credentials: Authorization Violation"
            )
    # A server that refuses our certificate sends a TLS alert on one attempt, and may only close
    # the connection on the next.
    cause = next((error for error in failures if isinstance(error, _TLS_ERRORS)), failures[-1])
    return NoServersError(f"cannot connect to NATS at {addresses}: {_reason(cause)}")


def _is_authorization_violation(error: Exception) -> bool:
    return "authorization violation" in str(error).lower()


def _check_schemes(servers: Any) -> None:
    """Refuse a URL with a scheme that nats-py does not have: it would take it for a host name.

    Raises: `InvalidOptionError`.
    """
    urls = [servers] if isinstance(servers, str) else servers if isinstance(servers, list) else []
    for url in urls:
        match = _SCHEME.match(url) if isinstance(url, str) else None
        if match and match[1] not in _NATS_SCHEMES:
            # Only the scheme is quoted, as a URL may have a password. A part of NATS_URL after a
            # comma may be the rest of one, which has an @.
            is_secret = "@" in "".join(map(str, urls))
            scheme = "a scheme" if is_secret else f"the scheme {match[1]!r}"
            raise InvalidOptionError(
                f"a server has {scheme} that is not of NATS: use nats://, tls://, ws:// or wss://"
            )


def _option_error(error: Exception) -> Exception:
    # The URL is not quoted: the malformed part may be a part of the password.
    if type(error) is nats.errors.Error and "url" in str(error).lower():
        return InvalidOptionError("a server is not a valid NATS URL: expected nats://host:port")
    return error


def _invalid_seed(options: str) -> InvalidOptionError:
    return InvalidOptionError(f"{options} does not have a valid NKey seed")


def _reason(error: Exception) -> str:
    """Return why a connection failed, in the words of the operating system, TLS or NATS."""
    # aiohttp, which nats-py uses for websockets, wraps the original error.
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
    if isinstance(cause, Exception):
        return _reason(cause)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or 'unknown reason').lower().replace('_', ' ')}"
    if isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    if isinstance(error, TimeoutError):
        return os.strerror(errno.ETIMEDOUT)
    text = str(error).removeprefix("nats: ").partition("\n")[0]
    if isinstance(error, OSError):
        # For a host with several addresses, asyncio raises one error without `errno`, whose text
        # has the errors of all attempts.
        number = re.search(r"\[Errno (\d+)\]", text)
        code = error.errno or (int(number[1]) if number else 0)
        return os.strerror(code) if code > 0 else text or type(error).__name__
    return text or type(error).__name__


__all__ = ["connect"]
