"""Joining the server of a home, or starting it."""

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
from jetstow._embedded.file_lock import FileLock, Patience
from jetstow._embedded.home_dir import Folder, Settings
from jetstow.errors import EmbeddedServerError

# A server reads its store before it listens; after a crash, with much stored, that is long.
START_SECONDS = 120.0
ANSWER_SECONDS = 5.0  # once it listens
START_ATTEMPTS = 5  # each on another port, when somebody took the one that was free


@dataclass(frozen=True)
class Endpoint:
    """A running server: `nats.connect(endpoint.url, token=endpoint.token)`.

    `version` is the server's; `store_dir` is where it keeps the data.
    """

    url: str
    token: str = field(repr=False)
    pid: int
    version: str
    store_dir: Path


class UnusableError(Exception):
    """A server lives in the home, but not one that can be used. The message says why."""


def join_or_start(folder: Folder, users: FileLock, abandoned: threading.Event) -> Endpoint:
    """The home's server, which has answered. Call it inside the gate, with `users` shared.

    Raises: `EmbeddedServerError`; `AbandonedError`; `OSError`.
    """
    patience = Patience(START_SECONDS, abandoned)
    try:
        if endpoint := _wait_until_ready(folder, patience):
            return endpoint
    except UnusableError as reason:
        # The last one out may stop the server; if that is us already, it is ours to replace.
        if not users.try_exclusive():
            raise EmbeddedServerError(
                f"the server in {folder.path} is in use by others, but {reason}; "
                "stop it with jetstow._embedded.stop()"
            ) from reason
        process.end(folder)
        users.wait_shared(patience)
    return _start(folder, Patience(START_SECONDS, abandoned))


def look(folder: Folder) -> Endpoint | None:
    """The server of the home; None if there is none or it does not listen yet.

    Raises: `UnusableError`; `EmbeddedServerError` where processes cannot be listed.
    """
    if not process.alive(folder):
        return None
    pid = process.find_pid(folder)
    if pid is None or not folder.is_listening(pid):
        return None
    settings = folder.settings()
    if settings is None:
        raise UnusableError(f"{folder.config} is damaged")
    version = _in_a_thread(_ask(settings, folder.server_name))
    if version is None:
        return None
    return Endpoint(settings.url, settings.token, pid, version, folder.store)


def _wait_until_ready(folder: Folder, patience: Patience) -> Endpoint | None:
    """The endpoint once JetStream has answered; None when no server lives (any more).

    Raises: `UnusableError`; `AbandonedError`; `EmbeddedServerError`.
    """
    unseen = Patience(ANSWER_SECONDS)
    while process.alive(folder):
        try:
            if endpoint := look(folder):
                return endpoint
        except UnusableError:
            if process.alive(folder):
                raise
            return None  # it ended while it was asked
        if unseen.over and process.find_pid(folder) is None:
            raise UnusableError("its process is not to be seen, as in another container")
        if patience.over:
            raise UnusableError(f"it did not listen after {patience.seconds:g} s")
        patience.nap()
    return None


def _start(folder: Folder, patience: Patience) -> Endpoint:
    words = ""
    for attempt in range(START_ATTEMPTS):
        since = folder.log.stat().st_size if folder.log.exists() else 0
        if endpoint := _start_once(folder, patience, move=attempt > 0):
            return endpoint
        words = process.last_words(folder, since)
        if "address already in use" not in words:
            break
    raise EmbeddedServerError(
        f"the embedded server ended while starting: {words} (its log is {folder.log})"
    )


def _start_once(folder: Folder, patience: Patience, *, move: bool) -> Endpoint | None:
    """Starts a server; None if it ended before it answered. What raises leaves none behind."""
    lock = FileLock(folder.server)
    try:
        # Nobody keeps it: but whoever looks whether a server lives has it for a moment.
        lock.wait_exclusive(patience)
        folder.forget_last_server()
        folder.configure(move=move)
        server = process.launch(folder, lock)
    except BaseException:
        lock.close()
        raise
    lock.bequeath()
    try:
        endpoint = _wait_until_ready(folder, patience)
    except BaseException as reason:
        process.discard(server, folder)
        if isinstance(reason, UnusableError):
            raise EmbeddedServerError(f"the embedded server was started, but {reason}") from reason
        raise
    process.reap(server)
    return endpoint


# -- the question that counts ------------------------------------------------------------


async def _ask(settings: Settings, server_name: str) -> str | None:
    """The version of the server, which has let our token in and whose JetStream answers.

    None if it takes no connection, not yet or not any more.

    Raises: `UnusableError`.
    """
    client = Client()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await client.connect(
                settings.url,
                token=settings.token,
                connect_timeout=math.ceil(ANSWER_SECONDS),
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                error_cb=_say_nothing,
            )
            greeting: dict[str, Any] = client._server_info  # noqa: SLF001 - no public way
            if greeting.get("server_name") != server_name:
                raise UnusableError(f"another server listens on {settings.url}")
            reply = await client.request("$JS.API.INFO", timeout=ANSWER_SECONDS)
            answer = json.loads(reply.data)
    except nats.errors.NoRespondersError as cause:
        raise UnusableError("it runs without JetStream") from cause
    except TimeoutError as cause:
        raise UnusableError(f"it does not answer within {ANSWER_SECONDS:g} s") from cause
    except (nats.errors.NoServersError, nats.errors.ConnectionClosedError, ConnectionError):
        return None
    except (nats.errors.Error, OSError, ValueError) as cause:
        raise UnusableError(f"it refuses us ({cause})") from cause
    finally:
        with suppress(nats.errors.Error, OSError):
            await client.close()
    if error := answer.get("error"):
        raise UnusableError(f"its JetStream says: {error.get('description', error)}")
    return str(greeting.get("version", ""))


async def _say_nothing(_: Exception) -> None:
    """nats-py logs what it is not told to keep; every failure reaches us as an exception."""


def _in_a_thread(question: Coroutine[Any, Any, str | None]) -> str | None:
    # The caller may be inside an event loop, and blocking: a thread can have another.
    with ThreadPoolExecutor(1, "jetstow-look") as thread:
        return thread.submit(asyncio.run, question).result()
