"""Join the server of a home, or start it."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats.errors
from nats.aio.client import Client

from jetstow._embedded import process
from jetstow._embedded.file_lock import FileLock, Timeout
from jetstow._embedded.home_dir import HomeDir, Settings
from jetstow.errors import EmbeddedServerError

# In seconds. The server reads its store before it listens, which takes long after a crash with
# much data.
START_TIMEOUT = 120.0
REPLY_TIMEOUT = 5.0  # for a server that listens
MAX_START_ATTEMPTS = 5  # each on a different port, if another program has taken the port


@dataclass(frozen=True)
class Endpoint:
    """A running server: `nats.connect(endpoint.url, token=endpoint.token)`.

    `version` is the server's version, `store_dir` the folder of its data.
    """

    url: str
    token: str = field(repr=False)
    pid: int
    version: str
    store_dir: Path


class ServerUnusableError(Exception):
    """A server runs in the home but cannot be used. The message is the reason."""


def join_or_start(home: HomeDir, users: FileLock, cancelled: threading.Event) -> Endpoint:
    """Return the home's server after it has replied. Start or replace it if necessary.

    Call it with `gate.lock` locked and `users.lock` shared.

    Raises: `EmbeddedServerError`, `AcquireCancelledError`, `OSError`.
    """
    timeout = Timeout(START_TIMEOUT, cancelled)
    try:
        if endpoint := _wait_until_ready(home, timeout):
            return endpoint
    except ServerUnusableError as reason:
        # Only the last process with a lease may stop the server.
        if not users.try_exclusive():
            raise EmbeddedServerError(
                f"the embedded server in {home.path} is in use by other processes, but {reason}; "
                "stop it with 'jetstow server stop'"
            ) from reason
        process.stop(home)
        users.wait_shared(timeout)
    return _start(home, Timeout(START_TIMEOUT, cancelled))


def find_running(home: HomeDir) -> Endpoint | None:
    """Return the server of the home; None if none runs, or it does not listen yet.

    Raises: `ServerUnusableError`, `EmbeddedServerError` (the processes cannot be listed).
    """
    if not process.is_alive(home):
        return None
    pid = process.find_pid(home)
    if pid is None or not home.is_listening(pid):
        return None
    settings = home.read_settings()
    if settings is None:
        raise ServerUnusableError(f"its configuration {home.config_file} is damaged")
    version = _run_in_new_loop(_query_version(settings, home.server_name))
    if version is None:
        return None
    return Endpoint(settings.url, settings.token, pid, version, home.store_dir)


def _wait_until_ready(home: HomeDir, timeout: Timeout) -> Endpoint | None:
    """Return the server when JetStream has replied; None if no server runs or it has exited.

    Raises: `ServerUnusableError`, `AcquireCancelledError`, `EmbeddedServerError`.
    """
    pid_timeout = Timeout(REPLY_TIMEOUT)
    while process.is_alive(home):
        try:
            if endpoint := find_running(home):
                return endpoint
        except ServerUnusableError:
            if process.is_alive(home):
                raise
            return None  # it exited during the request
        if pid_timeout.is_expired and process.find_pid(home) is None:
            raise ServerUnusableError(
                "its process is not visible, for example because it runs in another container"
            )
        if timeout.is_expired:
            raise ServerUnusableError(f"it does not listen after {timeout.seconds:g} s")
        timeout.sleep()
    return None


def _start(home: HomeDir, timeout: Timeout) -> Endpoint:
    reason = ""
    for attempt in range(MAX_START_ATTEMPTS):
        log_offset = home.log_file.stat().st_size if home.log_file.exists() else 0
        if endpoint := _start_once(home, timeout, new_port=attempt > 0):
            return endpoint
        reason = process.failure_reason(home, log_offset)
        if "address already in use" not in reason:
            break
    raise EmbeddedServerError(
        f"the embedded server exited during its start: {reason} (log: {home.log_file})"
    )


def _start_once(home: HomeDir, timeout: Timeout, *, new_port: bool) -> Endpoint | None:
    """Start a server. Return None if it exited before it replied; kill it after an error."""
    lock = FileLock(home.server_lock)
    try:
        # The lock is free, but `is_alive` in another process locks it for a moment.
        lock.wait_exclusive(timeout)
        home.remove_stale_files()
        home.write_config(new_port=new_port)
        server = process.start(home, lock)
    except BaseException:
        lock.close()
        raise
    lock.close_without_unlock()
    try:
        endpoint = _wait_until_ready(home, timeout)
    except BaseException as error:
        process.kill_started(server, home)
        if isinstance(error, ServerUnusableError):
            raise EmbeddedServerError(f"the embedded server was started, but {error}") from error
        raise
    process.reap_in_background(server)
    return endpoint


# -- the request that decides whether the server is ready --------------------------------


async def _query_version(settings: Settings, server_name: str) -> str | None:
    """Connect with the token, send a JetStream request, and return the server's version.

    Return None if the server does not accept connections.

    Raises: `ServerUnusableError`.
    """
    client = Client()
    try:
        async with asyncio.timeout(REPLY_TIMEOUT):
            await client.connect(
                settings.url,
                token=settings.token,
                connect_timeout=math.ceil(REPLY_TIMEOUT),
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                error_cb=_ignore_error,
            )
            server_info: dict[str, Any] = client._server_info  # noqa: SLF001 - no public name
            if server_info.get("server_name") != server_name:
                raise ServerUnusableError(f"another server listens on {settings.url}")
            message = await client.request("$JS.API.INFO", timeout=REPLY_TIMEOUT)
            reply = json.loads(message.data)
    except nats.errors.NoRespondersError as cause:
        raise ServerUnusableError("JetStream is not enabled on it") from cause
    except TimeoutError as cause:
        raise ServerUnusableError(f"it does not reply within {REPLY_TIMEOUT:g} s") from cause
    except (nats.errors.NoServersError, nats.errors.ConnectionClosedError, ConnectionError):
        return None
    except (nats.errors.Error, OSError, ValueError) as cause:
        raise ServerUnusableError(f"it refuses the connection: {cause}") from cause
    finally:
        with suppress(nats.errors.Error, OSError):
            await client.close()
    if error := reply.get("error"):
        raise ServerUnusableError(f"JetStream returns {error.get('description', error)!r}")
    return str(server_info.get("version", ""))


async def _ignore_error(_: Exception) -> None:
    """Ignore an error: nats-py logs errors without a callback, and `connect` raises them."""


def _run_in_new_loop(coroutine: Coroutine[Any, Any, str | None]) -> str | None:
    # The calling thread may be running an event loop, so use a thread of its own.
    with ThreadPoolExecutor(1, "jetstow-query") as executor:
        return executor.submit(asyncio.run, coroutine).result()
