"""How fast a server is, from here: throughput and latency, on a bucket that is gone after."""

from __future__ import annotations

import math
import os
import secrets
import statistics
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from jetstow.cli import errors, parsers
from jetstow.cli.command import command
from jetstow.cli.errors import WrongUsage
from jetstow.cli.render import Answer, bytes_of, progress, table
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectStore

_SIZE: Final = 64 << 20
_COUNT: Final = 200
_RUNS: Final = 3
_SMALL: Final = 1024
_BLOCK: Final = 1 << 20

# In seconds. A process that is killed leaves its bucket behind, but not what is in it.
_EXPIRY: Final = 86400.0


async def bench(
    session: Session,
    size: Annotated[
        int | None,
        typer.Option(metavar="SIZE", parser=parsers.size, help="The large object (default: 64M)."),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(metavar="N", parser=parsers.whole, help="Small objects (default: 200)."),
    ] = None,
    storage: Annotated[
        Literal["file", "memory"] | None,
        typer.Option(metavar="file|memory", help="Where they are kept (default: file)."),
    ] = None,
    replicas: Annotated[
        int | None,
        typer.Option(metavar="N", parser=parsers.whole, help="Copies in a cluster (default: 1)."),
    ] = None,
) -> Answer:
    """Measure how fast a server is from here.

    A temporary bucket is made and, whatever happens, removed again. The large object is put
    and read three times, and verified; the small ones have 1 KiB each, one after another.
    """
    if 0 in {size, count}:
        raise WrongUsage("--size and --count must be 1 or more")
    size, count = size or _SIZE, count or _COUNT
    async with _bucket(session, storage, replicas) as store:
        status = await store.status()
        puts, gets = await _large(store, size)
        data = {
            "put": _speed(size, puts),
            "get": _speed(size, gets),
            **await _small(store, count),
            "round_trip": _latency(await _round_trips(session, count)),
        }
    address, version = await session.server()
    where = f"nats-server {version} at {address} ({session.settings.place})"
    copies = "1 replica" if status.replicas == 1 else f"{status.replicas} replicas"
    kept, shown = f"{status.storage_type} storage, {copies}", _shown(data)
    data = {
        "server": address, "chosen_by": session.settings.place, "version": version,
        "storage": str(status.storage_type), "replicas": status.replicas, **data,
    }  # fmt: skip
    return Answer(data, [*shown.lines, "", f"{where}, {kept}"], heading=shown.heading)


@asynccontextmanager
async def _bucket(
    session: Session, storage: str | None, replicas: int | None
) -> AsyncGenerator[ObjectStore]:
    """A bucket of its own. If it cannot be removed, the user is told how to."""
    from jetstow import StorageType

    js, name = await session.js(), f"bench-{secrets.token_hex(6)}"
    try:
        yield await js.create_object_store(
            name, description="temporary: jetstow bench", ttl=_EXPIRY,
            storage=StorageType(storage or "file"), replicas=replicas,
        )  # fmt: skip
    finally:
        await _remove(session, name)


async def _remove(session: Session, bucket: str) -> None:
    from jetstow.errors import BucketNotFoundError

    try:
        await (await session.js()).delete_object_store(bucket)
    except BucketNotFoundError:
        return  # it was never made: that is told already
    except Exception:
        errors.complain(f"a bucket is left behind: jetstow rb --yes {bucket}")
        raise


# -- what is measured --------------------------------------------------------------------


async def _round_trips(session: Session, count: int) -> list[float]:
    client = await session.client()
    return [await _timed(client.flush) for _ in range(count)]


async def _small(store: ObjectStore, count: int) -> dict[str, Any]:
    data = os.urandom(_SMALL)

    async def put(number: int) -> None:
        await store.put(f"small/{number}", data)

    async def get(number: int) -> None:
        await store.get(f"small/{number}")

    await put(0)  # the first of its kind tells of the start, not of the server
    return {
        what: _latency([await _timed(call, number) for number in range(count)])
        for what, call in (("put_1k", put), ("get_1k", get))
    }


async def _large(store: ObjectStore, size: int) -> tuple[list[float], list[float]]:
    puts, gets = [], []
    block = os.urandom(_BLOCK)
    for _ in range(_RUNS):
        puts.append(await _timed(_put, store, block, size))
        gets.append(await _timed(_get, store, size))
        await store.delete("large")
    return puts, gets


async def _put(store: ObjectStore, block: bytes, size: int) -> None:
    with progress("put", size) as bar:
        await store.put("large", _repeated(block, size), progress=bar)


def _repeated(block: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, size, len(block)):
        yield block[: size - start]


async def _get(store: ObjectStore, size: int) -> None:
    done = 0
    with progress("get", size) as bar:
        async for chunk in store.stream("large"):
            done += len(chunk)
            if bar is not None:
                bar(done, size)


async def _timed(call: Callable[..., Awaitable[object]], *arguments: object) -> float:
    start = time.perf_counter()
    await call(*arguments)
    return time.perf_counter() - start


# -- what is told ------------------------------------------------------------------------


def _speed(size: int, seconds: Sequence[float]) -> dict[str, float]:
    middle = statistics.median(seconds)
    return {
        "size": size,
        "runs": len(seconds),
        "seconds": middle,
        "bytes_per_second": size / middle,
    }


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    """In seconds. The 99th percentile is one that was measured."""
    return {
        "count": len(seconds),
        "median": statistics.median(seconds),
        "p99": sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1],
        "per_second": len(seconds) / sum(seconds),
    }


def _shown(data: dict[str, Any]) -> Answer:
    speeds = [
        (f"{what} {bytes_of(data[what]['size'])}", _rate(data[what]), "", "")
        for what in ("put", "get")
    ]
    latencies = [
        (title, f"{data[what]['per_second']:,.0f}/s", *map(_time, _both(data[what])))
        for title, what in (
            ("put 1 KiB", "put_1k"), ("get 1 KiB", "get_1k"), ("round trip", "round_trip"),
        )
    ]  # fmt: skip
    return table(("MEASURED", ">SPEED", ">MEDIAN", ">P99"), [*speeds, *latencies], data)


def _rate(measured: dict[str, float]) -> str:
    return f"{bytes_of(int(measured['bytes_per_second']))}/s"


def _both(measured: dict[str, float]) -> tuple[float, float]:
    return measured["median"], measured["p99"]


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel="Server")(bench)
