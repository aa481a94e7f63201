"""Clients in a process of their own, which reads requests and writes replies as lines of JSON.

A request is `{"id": 1, "op": "get", "args": {"bucket": "b", "name": "n"}}`, its reply is
`{"id": 1, "value": ...}` or `{"id": 1, "error": "..."}`. The operations are the methods of `Peer`.
Bytes are base64; an object has the fields of `PeerInfo`. A request that waits delays no others.

The crash of a client thus ends its own process, and not the process that runs the tests.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import logging
import signal
import subprocess
import tempfile
import threading
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.peers import NO_META, PeerError, PeerInfo, PeerMeta, header_lists
from tests.support.servers import die_with_parent

ROOT = Path(__file__).resolve().parents[3]
INTEROP = ROOT / "tests" / "interop"

logger = logging.getLogger(__name__)


class MissingPeerError(RuntimeError):
    """A client is not installed. The test fails; it is not skipped."""


class PeerCrashedError(PeerError):
    """A signal ended the process of the client."""


class PeerProcess:
    """The process of a client. It serves one test after another."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.starts = 0
        self._command = [*die_with_parent(), *command]
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._error is None

    async def request(self, op: str, **args: Any) -> Any:
        """Run an operation and return its result.

        Raises: `PeerError` (with the client's message), `PeerCrashedError`.
        """
        number = next(self._numbers)
        reply: Future[Any] = Future()
        with self._lock:
            if self._error is not None:
                raise self._error
            self._waiting[number] = reply
        line = json.dumps({"id": number, "op": op, "args": args})
        with suppress(BrokenPipeError):  # `_read` reports the end of the process
            self._stdin.write(line.encode() + b"\n")
            self._stdin.flush()
        return await asyncio.wrap_future(reply)

    def restart(self) -> None:
        """Start the process again, without its connections."""
        self.close()
        self._start()

    def close(self) -> None:
        self._process.kill()
        self._reader.join()
        for file in (self._stdin, self._stdout, self._stderr):
            with suppress(BrokenPipeError):  # of a request that the process did not read
                file.close()

    def _start(self) -> None:
        self.starts += 1
        self._error: PeerError | None = None
        self._waiting: dict[int, Future[Any]] = {}
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            cwd=ROOT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._stdout:
            reply = json.loads(line)
            with self._lock:
                waiting = self._waiting.pop(reply["id"])
            if not waiting.set_running_or_notify_cancel():
                continue
            if "error" in reply:
                waiting.set_exception(PeerError(reply["error"]))
            else:
                waiting.set_result(reply["value"])
        error = self._end()
        with self._lock:
            self._error = error
        for waiting in self._waiting.values():
            if waiting.set_running_or_notify_cancel():
                waiting.set_exception(error)

    def _end(self) -> PeerError:
        """Wait for the end of the process and return it as an error, with its last output."""
        status = self._process.wait()
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").splitlines()[-40:]
        cause = signal.Signals(-status).name if status < 0 else f"status {status}"
        text = "\n".join([f"the process of {self.name} ended with {cause}", *lines])
        return PeerCrashedError(text) if status < 0 else PeerError(text)


class ProcessPeer:
    """A `Peer` whose operations run in a `PeerProcess`.

    After a crash in an operation it starts a new process, connects it and repeats the operation
    once. The operations of a watch are not repeated: the process has lost their position.
    """

    name: str
    has_metadata: bool
    has_links: bool
    encodes_names_as_utf8: bool
    can_rename: bool

    @staticmethod
    def command() -> list[str]:
        """Return the command of the process.

        Raises: `MissingPeerError`.
        """
        raise NotImplementedError

    def __init__(self, process: PeerProcess) -> None:
        self._process = process
        self._reconnecting = asyncio.Lock()

    async def request(self, op: str, **args: Any) -> Any:
        """Run an operation, and again if the process crashes.

        Raises: `PeerError` (with the client's message), `PeerCrashedError` (the second crash).
        """
        start = self._process.starts
        try:
            return await self._process.request(op, **args)
        except PeerCrashedError as error:
            logger.warning("%s crashed in %r, which is repeated: %s", self.name, op, error)
        async with self._reconnecting:
            if self._process.starts == start:
                self._process.restart()
                await self._process.request("open", url=self._url)
        return await self._process.request(op, **args)

    async def open(self, url: str) -> None:
        self._url = url
        if not self._process.is_running:
            self._process.restart()
        await self.request("open", url=url)

    async def close(self) -> None:
        try:
            await self._process.request("close")
        except PeerCrashedError as error:
            logger.warning("%s crashed when it closed its connection: %s", self.name, error)

    async def create(self, bucket: str) -> None:
        await self.request("create", bucket=bucket)

    async def put(self, bucket: str, name: str, data: bytes, meta: PeerMeta = NO_META) -> None:
        await self.request("put", bucket=bucket, name=name, **put_fields(data, meta))

    async def get(self, bucket: str, name: str) -> bytes | None:
        data = await self.request("get", bucket=bucket, name=name)
        return None if data is None else base64.b64decode(data)

    async def info(self, bucket: str, name: str) -> PeerInfo | None:
        info = await self.request("info", bucket=bucket, name=name)
        return _peer_info(info) if info else None

    async def list(self, bucket: str) -> list[PeerInfo]:
        return [_peer_info(info) for info in await self.request("list", bucket=bucket)]

    async def delete(self, bucket: str, name: str) -> None:
        await self.request("delete", bucket=bucket, name=name)

    async def link(self, bucket: str, name: str, target: str, target_bucket: str = "") -> None:
        target_bucket = target_bucket or bucket
        await self.request(
            "link", bucket=bucket, name=name, target=target, target_bucket=target_bucket
        )

    async def link_bucket(self, bucket: str, name: str, target_bucket: str) -> None:
        await self.request("link_bucket", bucket=bucket, name=name, target_bucket=target_bucket)

    async def describe(self, bucket: str, name: str, description: str) -> None:
        await self.request("describe", bucket=bucket, name=name, description=description)

    async def rename(self, bucket: str, name: str, new_name: str) -> None:
        await self.request("rename", bucket=bucket, name=name, new_name=new_name)

    async def seal(self, bucket: str) -> None:
        await self.request("seal", bucket=bucket)

    async def watch(self, bucket: str) -> AsyncGenerator[PeerInfo | None]:
        await self.request("watch", bucket=bucket)
        try:
            yield None
            while (info := await self._process.request("next")) is not None:
                yield _peer_info(info)
        finally:
            await self._process.request("unwatch")


def put_fields(data: bytes, meta: PeerMeta) -> dict[str, Any]:
    fields = {
        "data": base64.b64encode(data).decode(),
        "description": meta.description,
        "headers": meta.headers,
        "metadata": meta.metadata,
        "chunk_size": meta.chunk_size,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _peer_info(fields: dict[str, Any]) -> PeerInfo:
    given = {key: value for key, value in fields.items() if value is not None}
    if "link" in given:
        given["link"] = tuple(given["link"])
    return PeerInfo(**given | {"headers": header_lists(given.get("headers"))})
