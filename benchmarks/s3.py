"""The S3 gateway against the library, and other servers: `python -m benchmarks.s3`.

    python -m benchmarks.s3 [--other NAME=URL ...]

GET and PUT of 256 MiB with presigned URLs, as ratios of the library's rates. CPU time of a page
of 1,000 keys, and of a page of common prefixes over 100,000 keys. GET and PUT of 1 KiB a second,
beside other S3 servers on loopback that accept the key of the gateway. All run in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import jetstow.sync
from benchmarks.multipart import KINDS, MIB, SIZE, GatewayProcess
from jetstow._core.protocol.metadata import encode_info
from jetstow._core.protocol.subjects import meta_subject
from jetstow.models import ObjectInfo
from tests.support.gateway import new_client
from tests.support.servers import NatsServer

REPEATS = 5
PAGES = 50
NAMES = 100_000
FOLDERS = 1_000
SMALL = 1024
SMALL_CLIENTS = 4
SMALL_REQUESTS = 300
BUCKET = "benchmark"


def presigned(url: str, operation: str, key: str) -> str:
    params = {"Bucket": BUCKET, "Key": key}
    return str(new_client(url).generate_presigned_url(operation, Params=params))


class Connection:
    """A connection that sends presigned requests, with as little CPU time as Python can."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self._buffer = memoryview(bytearray(MIB))

    def get(self, url: str) -> int:
        """Return the size of the body."""
        parts = urlsplit(url)
        self._connection.request("GET", f"{parts.path}?{parts.query}")
        response = self._connection.getresponse()
        assert response.status == 200, response.read()
        size = 0
        while number := response.readinto(self._buffer):
            size += number
        return size

    def put(self, url: str, data: bytes) -> None:
        parts = urlsplit(url)
        self._connection.request("PUT", f"{parts.path}?{parts.query}", data)
        response = self._connection.getresponse()
        assert response.status == 200, response.read()
        response.read()


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def measure_large(gateway: GatewayProcess, store: jetstow.sync.ObjectStore) -> None:
    """Print GET and PUT of 256 MiB, with the library and the gateway in turn."""
    data = os.urandom(SIZE)
    connection = Connection(gateway.url)
    get = presigned(gateway.url, "get_object", "large")
    put = presigned(gateway.url, "put_object", "large")

    def read() -> None:
        with store.open("large") as file:
            while file.read(MIB):
                pass

    calls: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "PUT": (lambda: store.put("large", data), lambda: connection.put(put, data)),
        "GET": (lambda: store.get("large"), lambda: connection.get(get)),
        "GET by reads": (read, lambda: connection.get(get)),
    }
    for name, pair in calls.items():
        runs = [[seconds(call) for call in pair] for _ in range(REPEATS + 1)][1:]
        library, served = (SIZE / MIB / statistics.median(each) for each in zip(*runs, strict=True))
        print(
            f"{name:12} library {library:5.0f} MiB/s, gateway {served:5.0f} MiB/s: "
            f"{served / library:.2f}"
        )


def measure_lists(gateway: GatewayProcess) -> None:
    """Print the CPU time of pages of lists."""
    client = new_client(gateway.url)
    for name, options in (("1,000 keys", {}), ("common prefixes", {"Delimiter": "/"})):
        client.list_objects_v2(Bucket=BUCKET, **options)
        before = gateway.cpu()
        for _ in range(PAGES):
            page = client.list_objects_v2(Bucket=BUCKET, **options)
        assert page["IsTruncated"] or len(page["CommonPrefixes"]) == FOLDERS
        print(f"a page of {name}: {1000 * (gateway.cpu() - before) / PAGES:.1f} ms of CPU time")


async def fill(nats_url: str) -> None:
    """Make many empty objects, by their metadata only."""
    async with jetstow.connect(nats_url) as nc:
        for number in range(NAMES):
            name = f"folder-{number % FOLDERS:03}/{number:06}"
            info = ObjectInfo(name=name, bucket=BUCKET, nuid=f"nuid{number}", size=0, chunks=0)
            await nc.publish(meta_subject(BUCKET, name), encode_info(info))
        await nc.flush(60)


def small_rate(url: str, key: str, *, writes: bool) -> float:
    """Return the requests of 1 KiB a second, of some clients at the same time."""
    data = bytes(SMALL)

    def run(number: int) -> None:
        # moto fails if two clients write one object at the same time.
        operation, name = ("put_object", f"{key}-{number}") if writes else ("get_object", key)
        address = presigned(url, operation, name)
        connection = Connection(url)
        for _ in range(SMALL_REQUESTS):
            if writes:
                connection.put(address, data)
            else:
                assert connection.get(address) == SMALL

    with ThreadPoolExecutor(SMALL_CLIENTS) as pool:
        took = seconds(lambda: list(pool.map(run, range(SMALL_CLIENTS))))
    return SMALL_CLIENTS * SMALL_REQUESTS / took


def measure_small(urls: dict[str, str]) -> None:
    """Print GET and PUT of 1 KiB a second of each server."""
    for url in urls.values():
        client = new_client(url)
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="small", Body=bytes(SMALL))
    for writes in (False, True):
        rates: dict[str, list[float]] = {name: [] for name in urls}
        for _ in range(3):
            for name, url in urls.items():
                rates[name].append(small_rate(url, "small", writes=writes))
        shown = ", ".join(f"{name} {statistics.median(each):,.0f}" for name, each in rates.items())
        print(f"{'PUT' if writes else 'GET'} of 1 KiB a second: {shown}")


def main() -> None:
    """Measure all, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.s3", description=__doc__)
    parser.add_argument("--other", action="append", default=[], metavar="NAME=URL")
    others = dict(other.split("=", 1) for other in parser.parse_args().other)
    with NatsServer() as server, jetstow.sync.connect(server.url) as client:
        gateway = GatewayProcess(server.url, KINDS[0])
        try:
            new_client(gateway.url).create_bucket(Bucket=BUCKET)
            measure_large(gateway, client.jetstream().object_store(BUCKET))
            measure_small({"gateway": gateway.url, **others})
            asyncio.run(fill(server.url))
            measure_lists(gateway)
        finally:
            gateway.close()


if __name__ == "__main__":
    main()
