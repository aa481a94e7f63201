"""The operations of all clients in Python. `Client` is their interface."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.clients.serve import Job, WrongDataError, measured, serve

OBJECT = "object"
KIB = 1024
_WARM_UP_CALLS = 10


class Client(Protocol):
    """A client with one connection and one bucket. It raises `UnsupportedError`."""

    has_get_into: bool

    async def open(self, url: str, bucket: str) -> None: ...
    async def put(self, name: str, data: bytes) -> None: ...
    async def get(self, name: str) -> bytes: ...
    async def stream(self, name: str) -> int:
        """Read an object, verified, keep nothing of it, return its size."""
        ...

    async def put_file(self, name: str, path: str) -> None: ...
    async def get_file(self, name: str, path: str) -> None: ...
    async def info(self, name: str) -> tuple[int, str]:
        """Return size and digest."""
        ...

    async def get_into(self, name: str, buffer: bytearray) -> None:
        """Read an object into a buffer of the caller."""
        ...

    def view(self, kind: str) -> Client:
        """Return a client that encrypts (encrypted), or whose puts read no time (undated)."""
        ...

    async def list(self) -> int: ...
    async def range(self, name: str, start: int, length: int) -> bytes: ...
    async def direct_get(self, name: str) -> object:
        """The metadata message of an object by one direct get, as a plain JetStream client."""
        ...


def run(client: Client) -> None:
    """Run the job with this client."""

    async def work(job: Job) -> None:
        await client.open(job.url, job.bucket)
        await _OPERATIONS[job.op](client, job)

    serve(work)


def _digest(data: bytes | bytearray | memoryview) -> str:
    return "SHA-256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()


async def _check_stored(client: Client, name: str, size: int, digest: str) -> None:
    found, named = await client.info(name)
    if (found, named.rstrip("=")) != (size, digest.rstrip("=")):
        raise WrongDataError(f"{name} is stored as {found} bytes, {named}")


def _check(data: bytes | bytearray | memoryview, digest: str) -> None:
    if _digest(data) != digest:
        raise WrongDataError(f"{len(data)} bytes differ from the stored ones")


# -- one large object --------------------------------------------------------------------


async def put(client: Client, job: Job) -> None:
    data = job.data()
    with measured("put"):
        await client.put(OBJECT, data)
    await _check_stored(client, OBJECT, job.size, job.digest)


async def get(client: Client, job: Job) -> None:
    with measured("get"):
        data = await client.get(OBJECT)
    _check(data, job.digest)
    del data
    if not (client.has_get_into and job.flags.get("more")):
        return
    # The caller's buffer is one that was used before: its pages exist.
    buffer = bytearray(b"x") * job.size
    with measured("get-into"):
        await client.get_into(OBJECT, buffer)
    _check(buffer, job.digest)


async def encrypted(client: Client, job: Job) -> None:
    """Put and stream an encrypted object."""
    data, view = job.data(), client.view("encrypted")
    with measured("encrypted-put"):
        await view.put(OBJECT, data)
    with measured("encrypted-stream"):
        size = await view.stream(OBJECT)
    if size != job.size:
        raise WrongDataError(f"{size} bytes of {job.size}")


async def stream(client: Client, job: Job) -> None:
    """Read an object with verification, discard it, and return its size."""
    with measured("stream"):
        size = await client.stream(OBJECT)
    if size != job.size:
        raise WrongDataError(f"{size} bytes of {job.size}")


async def put_file(client: Client, job: Job) -> None:
    with measured("put-file"):
        await client.put_file(OBJECT, job.path)
    await _check_stored(client, OBJECT, job.size, job.digest)


async def get_file(client: Client, job: Job) -> None:
    with measured("get-file"):
        await client.get_file(OBJECT, job.path)
    with Path(job.path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    if "SHA-256=" + base64.urlsafe_b64encode(digest).decode() != job.digest:
        raise WrongDataError("the file differs from the stored object")


async def read_range(client: Client, job: Job) -> None:
    data = job.data(2 << 20)
    middle = job.size // 2
    # Warm up the program and the connection, but not the object.
    await client.put("other", data[: 2 * KIB])
    await client.range("other", KIB, 1)
    with measured("range"):
        found = await client.range(OBJECT, middle, KIB)
    at = middle % (1 << 20)
    if found != data[at : at + KIB]:
        raise WrongDataError("the range differs from the stored object")


async def list_all(client: Client, job: Job) -> None:
    with measured("list"):
        count = await client.list()
    if count != job.count:
        raise WrongDataError(f"{count} objects of {job.count}")


# -- many small objects ------------------------------------------------------------------


async def small(client: Client, job: Job) -> None:
    """Put, replace, get and look up objects of 1 KiB, one after another and concurrently.

    The flag `parts` selects some of put, get and info; the flag `view` is that of the client.
    """
    if "view" in job.flags:
        client = client.view(job.flags["view"])
    data = job.data(1 << 20)
    one_by_one = [f"one/{number:05}" for number in range(job.count)]
    at_once = [f"many/{number:05}" for number in range(job.count * 4)]
    contents = {
        name: data[at : at + KIB]
        for names in (one_by_one, at_once)
        for name, at in zip(names, _offsets(len(names)), strict=True)
    }

    async def put_one(name: str) -> None:
        await client.put(name, contents[name])

    calls = {"put": put_one, "get": client.get, "info": client.info}
    for what, call in calls.items():
        if what not in job.flags.get("parts", calls):
            continue
        for name in one_by_one[:_WARM_UP_CALLS]:
            await call(name)  # the first calls include start-up costs
        found = await _rate(f"{what}-small", call, one_by_one, 1)
        found |= await _rate(f"{what}-small-at-once", call, at_once, job.at_once)
        if what == "put":
            await _rate("replace-small", call, one_by_one, 1)
        if what == "get" and found != contents:
            raise WrongDataError("small objects differ from the stored ones")


def _offsets(count: int) -> list[int]:
    return [number * KIB % (1 << 20) for number in range(count)]


async def _rate(
    what: str, call: Callable[[str], Awaitable[Any]], names: Sequence[str], at_once: int
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    left = iter(names)

    async def worker() -> None:
        for name in left:
            found[name] = await call(name)

    with measured(what) as more:
        await asyncio.gather(*(worker() for _ in range(at_once)))
        more["count"] = len(names)
    return found


async def direct_get(client: Client, job: Job) -> None:
    """Read the metadata message of an object by one Direct Get, without an object store."""
    await _rate("direct-get", client.direct_get, [OBJECT] * job.count, 1)


# -- many large objects at once ----------------------------------------------------------


async def many(client: Client, job: Job) -> None:
    """Run `count` transfers concurrently, then transfer the same bytes as one object."""
    part = job.size // job.count
    names = [f"part-{number}" for number in range(job.count)]
    data = job.data(part)
    digest = _digest(data)
    with measured("many-put") as more:
        done = await asyncio.gather(
            *(client.put(name, data) for name in names), return_exceptions=True
        )
        more["errors"] = [f"{error!r}"[:200] for error in done if isinstance(error, BaseException)]
    if not more["errors"]:
        for name in names:
            await _check_stored(client, name, part, digest)
    if not job.flags.get("puts_only"):
        await _many_gets(client, names, digest)
    if job.flags.get("one"):
        whole = job.data()
        with measured("one-put"):
            await client.put(OBJECT, whole)
        del whole
        with measured("one-get"):
            found = await client.get(OBJECT)
        _check(found, job.digest)


async def _many_gets(client: Client, names: Sequence[str], digest: str) -> None:
    with measured("many-get") as more:
        found = await asyncio.gather(*map(client.get, names), return_exceptions=True)
        more["errors"] = [f"{error!r}"[:200] for error in found if isinstance(error, BaseException)]
    for data in found:
        if not isinstance(data, BaseException):
            _check(data, digest)


_OPERATIONS: dict[str, Callable[[Client, Job], Awaitable[None]]] = {
    "put": put,
    "get": get,
    "encrypted": encrypted,
    "stream": stream,
    "put-file": put_file,
    "get-file": get_file,
    "range": read_range,
    "list": list_all,
    "small": small,
    "direct-get": direct_get,
    "many": many,
}
