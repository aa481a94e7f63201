"""Several threads share one connection."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import jetstow.sync as jetstow
from jetstow.errors import WatcherStoppedError
from tests.support.samples import some_bytes


@pytest.fixture
def many_thread_switches() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_concurrent_calls_on_one_store(store: jetstow.ObjectStore) -> None:
    def work(thread: int) -> list[bytes]:
        found = []
        for number in range(12):
            data = some_bytes(1000 + 50_000 * (number % 4), 100 * thread + number)
            info = store.put(f"{thread}/{number}", iter([data[:500], data[500:]]))
            assert store.get_info(info.name).digest == info.digest
            read = b"".join(store.stream(info.name))
            with store.open(info.name) as file:
                file.seek(500)
                assert file.read() == data[500:]
            assert read == store.get(info.name).data == data
            found.append(read)
        return found

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert len({data for result in results for data in result}) == 8 * 12
    assert len(store.list()) == 8 * 12
    assert store.verify().ok


def test_concurrent_reads_of_one_file(store: jetstow.ObjectStore) -> None:
    data = some_bytes(3_000_000)
    store.put("a", data)
    with store.open("a") as file, ThreadPoolExecutor(8) as pool:
        starts = range(0, 3_000_000, 100_000)
        assert list(pool.map(lambda start: file.read_at(start, 1000), starts)) == [
            data[start : start + 1000] for start in starts
        ]


@pytest.mark.usefixtures("many_thread_switches")
def test_concurrent_writes_to_one_file(store: jetstow.ObjectStore) -> None:
    """Records were stored twice, in pieces or not at all."""
    size, threads, count = 20_000, 8, 60

    def write(number: int) -> None:
        for _ in range(count):
            file.write(bytes([number]) * size)
            assert file.digest

    with store.open("a", "wb") as file, ThreadPoolExecutor(threads) as pool:
        list(pool.map(write, range(threads)))
    data = store.get("a").data
    records = [data[start : start + size] for start in range(0, len(data), size)]
    assert sorted(records) == [bytes([n]) * size for n in range(threads) for _ in range(count)]


@pytest.mark.parametrize("end", ["close", "abort"])
def test_concurrent_ends_of_one_file(store: jetstow.ObjectStore, end: str) -> None:
    file = store.open("a", "wb")
    file.write(b"x")
    with ThreadPoolExecutor(4) as pool:
        for ended in [pool.submit(getattr(file, end)) for _ in range(4)]:
            ended.result()
    assert [info.size for info in store.list()] == ([1] if end == "close" else [])


@pytest.mark.usefixtures("many_thread_switches")
def test_concurrent_sequential_reads_of_one_file(store: jetstow.ObjectStore) -> None:
    size = 20_000
    store.put("a", b"".join(bytes([number]) * size for number in range(200)))
    with store.open("a") as file, ThreadPoolExecutor(4) as pool:
        records = list(pool.map(lambda _: file.read(size), range(200)))
    assert sorted(records) == [bytes([number]) * size for number in range(200)]


def test_watcher_stopped_in_another_thread(store: jetstow.ObjectStore) -> None:
    watcher = store.watch(updates_only=True)
    seen, ended = threading.Event(), []

    def watch() -> None:
        for _ in watcher:
            seen.set()
        ended.append(True)

    thread = threading.Thread(target=watch)
    thread.start()
    store.put("a", b"1")
    assert seen.wait(10)
    watcher.stop()
    thread.join()
    assert ended == [True]
    with pytest.raises(WatcherStoppedError):
        watcher.updates()


def test_connections_share_one_loop(store: jetstow.ObjectStore, server: object) -> None:
    def connect() -> int:
        with jetstow.connect(server.url):  # type: ignore[attr-defined]
            return sum(thread.name == "jetstow" for thread in threading.enumerate())

    with ThreadPoolExecutor(4) as pool:
        assert {future.result() for future in [pool.submit(connect) for _ in range(8)]} == {1}
