"""bench: measure throughput and latency of a server, in a temporary bucket."""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from jetstow.cli import errors, parsers
from jetstow.cli.arguments import Replicas, Storage
from jetstow.cli.command import command
from jetstow.cli.errors import UsageError
from jetstow.cli.help import SERVER
from jetstow.cli.render import Result, format_size, table
from jetstow.cli.session import Session

if TYPE_CHECKING:
    from jetstow import ObjectStore

# In bytes.
DEFAULT_SIZE: Final = 64 << 20
SMALL_SIZE: Final = 1024
BLOCK_SIZE: Final = 1 << 20

DEFAULT_COUNT: Final = 200
LARGE_RUNS: Final = 3

# Deletes the objects of a run that was killed; its empty bucket stays. In seconds.
BUCKET_TTL: Final = 86400.0


async def bench(
    session: Session,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="SIZE", parser=parsers.size, help="Size of the large object (default: 64M)."
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=parsers.whole_number,
            help="Number of small objects (default: 200).",
        ),
    ] = None,
    storage: Storage = None,
    replicas: Replicas = None,
) -> Result:  # fmt: skip
    """Measure throughput and latency of a server.

    The large object is written and read three times, verified. The small objects have 1 KiB each
    and are written and read one after the other. The temporary bucket is deleted at the end.
    """
    if 0 in {size, count}:
        raise UsageError("--size and --count must be 1 or more")
    size, count = size or DEFAULT_SIZE, count or DEFAULT_COUNT
    async with _temporary_bucket(session, storage, replicas) as store:
        status = await store.status()
        puts, gets = await _large_objects(session, store, size)
        measured = {
            "put": _throughput(size, puts),
            "get": _throughput(size, gets),
            **await _small_objects(store, count),
            "round_trip": _latency(await _round_trips(session, count)),
        }
    address, version = await session.connected_server()
    source, storage_type = session.settings.server_source, str(status.storage_type)
    data = {
        "server": address, "chosen_by": source, "version": version,
        "storage": storage_type, "replicas": status.replicas, **measured,
    }  # fmt: skip
    summary = f"nats-server {version} at {address} ({source}), {storage_type} storage, "
    summary += "1 replica" if status.replicas == 1 else f"{status.replicas} replicas"
    shown = _table(measured)
    return Result(data, [*shown.lines, "", summary], heading=shown.heading)


@asynccontextmanager
async def _temporary_bucket(
    session: Session, storage: str | None, replicas: int | None
) -> AsyncGenerator[ObjectStore]:
    from jetstow import StorageType
    from jetstow.errors import PermissionDeniedError

    js, name = await session.js(), f"bench-{secrets.token_hex(6)}"
    may_exist = True
    try:
        try:
            store = await js.create_object_store(
                name, description="temporary: jetstow bench", ttl=BUCKET_TTL,
                storage=StorageType(storage or "file"), replicas=replicas,
            )  # fmt: skip
        except PermissionDeniedError:
            may_exist = False  # deleting it would fail, too, and hide this error
            raise
        yield store
    except asyncio.CancelledError:
        # Its notes are about an object of the temporary bucket.
        raise asyncio.CancelledError from None
    finally:
        if may_exist:
            await _delete_bucket(session, name)


async def _delete_bucket(session: Session, bucket: str) -> None:
    from jetstow.errors import BucketNotFoundError

    try:
        await (await session.js()).delete_object_store(bucket)
    except BucketNotFoundError:
        return  # creating it failed, with the error that is being raised
    except Exception:
        errors.print_message(f"the temporary bucket was not deleted: jetstow rb --yes {bucket}")
        raise


# -- measurements ------------------------------------------------------------------------


async def _round_trips(session: Session, count: int) -> list[float]:
    client = await session.client()
    return [await _timed(client.flush) for _ in range(count)]


async def _small_objects(store: ObjectStore, count: int) -> dict[str, Any]:
    data = os.urandom(SMALL_SIZE)

    async def put(number: int) -> None:
        await store.put(f"small/{number}", data)

    async def get(number: int) -> None:
        await store.get(f"small/{number}")

    await put(0)  # warm-up: the first one is slower
    return {
        key: _latency([await _timed(call, number) for number in range(count)])
        for key, call in (("put_1k", put), ("get_1k", get))
    }


async def _large_objects(
    session: Session, store: ObjectStore, size: int
) -> tuple[list[float], list[float]]:
    puts, gets = [], []
    block = os.urandom(BLOCK_SIZE)
    for _ in range(LARGE_RUNS):
        puts.append(await _timed(_put, session, store, block, size))
        gets.append(await _timed(_get, session, store, size))
        await store.delete("large")
    return puts, gets


async def _put(session: Session, store: ObjectStore, block: bytes, size: int) -> None:
    with session.progress("put", size) as bar:
        await store.put("large", _repeated(block, size), progress=bar)


def _repeated(block: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, size, len(block)):
        yield block[: size - start]


async def _get(session: Session, store: ObjectStore, size: int) -> None:
    done = 0
    with session.progress("get", size) as bar:
        async for chunk in store.stream("large"):
            done += len(chunk)
            if bar is not None:
                bar(done, size)


async def _timed(call: Callable[..., Awaitable[object]], *arguments: object) -> float:
    start = time.perf_counter()
    await call(*arguments)
    return time.perf_counter() - start


# -- statistics --------------------------------------------------------------------------


def _throughput(size: int, seconds: Sequence[float]) -> dict[str, float]:
    import statistics  # slow to import

    median = statistics.median(seconds)
    return {
        "size": size,
        "runs": len(seconds),
        "seconds": median,
        "bytes_per_second": size / median,
    }


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    """Return median and p99 in seconds; p99 is a measured value, not interpolated."""
    import statistics

    return {
        "count": len(seconds),
        "median": statistics.median(seconds),
        "p99": sorted(seconds)[math.ceil(0.99 * len(seconds)) - 1],
        "per_second": len(seconds) / sum(seconds),
    }


def _table(measured: dict[str, Any]) -> Result:
    rows: list[tuple[str, ...]] = []
    for key in ("put", "get"):
        value = measured[key]
        rate = f"{format_size(int(value['bytes_per_second']))}/s"
        rows.append((f"{key} {format_size(value['size'])}", rate, "", ""))
    for label, key in (
        ("put 1 KiB", "put_1k"), ("get 1 KiB", "get_1k"), ("round trip", "round_trip"),
    ):  # fmt: skip
        value = measured[key]
        times = (f"{value[name] * 1000:.2f} ms" for name in ("median", "p99"))
        rows.append((label, f"{value['per_second']:,.0f}/s", *times))
    return table(("MEASURED", ">RATE", ">MEDIAN", ">P99"), rows, measured)


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, panel=SERVER)(bench)
