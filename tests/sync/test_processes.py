"""Forked and spawned processes have their own connections."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

import jetstow.sync as jetstow
from jetstow.errors import ConnectionLostError, InvalidOptionError, TamperedError
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer
from tests.sync.plain_client import run_on_server
from tests.sync.script import ProgramResult

# Python 3.12 and later warn when a process with threads forks.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

DATA = some_bytes(500_000)

FORK = """
def child(work):
    pid = os.fork()
    if pid == 0:
        return work()
    assert os.waitpid(pid, 0)[1] == 0
    return None
"""


def in_child(work: Callable[[], object]) -> None:
    """Run a function in a forked child, and check that it does not raise."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - a test of the parent must not go on here
            traceback.print_exc()
            code = 1
        sys.stderr.flush()
        os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def clients(server: NatsServer) -> int:
    return len(server.monitor("connz")["connections"] or [])


def test_forked_child_has_its_own_connection(
    store: jetstow.ObjectStore, server: NatsServer
) -> None:
    before = clients(server)
    store.put("a", DATA)

    def work() -> None:
        assert store.get("a").data == DATA
        store.put("b", DATA)
        assert clients(server) == before + 1

    in_child(work)
    assert store.get("b").data == DATA
    in_child(lambda: None)
    assert store.get("a").data == DATA


def test_forked_children_use_different_nuids(store: jetstow.ObjectStore) -> None:
    """A child continued the NUID sequence of its parent: two objects had chunks on one subject."""
    in_child(lambda: store.put("first child", DATA))
    in_child(lambda: store.put("second child", DATA[1:]))
    store.put("parent", DATA[2:])
    infos = store.list()
    assert len({info.nuid for info in infos}) == 3
    assert store.verify().ok


def test_encrypted_bucket_in_a_grandchild(store: jetstow.ObjectStore) -> None:
    secret = store.encrypted(bytes(32))
    secret.put("a", DATA)
    store.put("plain", DATA)
    mixed = store.encrypted(bytes(32), allow_plain=True, original_bucket="other")

    def grandchild() -> None:
        assert secret.get("a").data == DATA
        assert mixed.get("plain").data == DATA
        assert mixed.async_store()._bucket.original_bucket == "other"
        with pytest.raises(TamperedError):
            secret.get("plain")

    def child() -> None:
        assert secret.get_info("a").size == len(DATA)
        in_child(grandchild)
        assert secret.get("a").data == DATA

    in_child(child)


def test_open_resources_cannot_be_used_in_a_child(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    reader, watcher, stream = store.open("a"), store.watch(), store.stream("a")
    writer = store.open("b", "wb")
    assert reader.read(10) == DATA[:10]
    next(watcher)
    next(stream)
    writer.write(b"1")

    def work() -> None:
        steps: list[Callable[[], object]] = [
            lambda: reader.read(1),
            lambda: reader.seek(0),
            lambda: next(watcher),
            watcher.stop,
            lambda: writer.write(b"2"),
            writer.close,
            lambda: list(stream),
        ]
        for step in steps:
            with pytest.raises(ConnectionLostError, match="open"):
                step()
        assert store.get("a").data == DATA

    in_child(work)
    assert reader.read() == DATA[10:]
    assert next(watcher) is None
    assert b"".join(stream) != b""
    writer.close()
    assert store.get("b").data == b"1"
    reader.close()
    watcher.stop()


def test_closed_connection_stays_closed_in_a_child(server: NatsServer, bucket: str) -> None:
    with jetstow.connect(server.url) as nc:
        store = nc.jetstream().create_object_store(bucket)

    def work() -> None:
        with pytest.raises(ConnectionLostError):
            store.get("a")

    in_child(work)


def test_child_exits_silently(script: Callable[..., ProgramResult], bucket: str) -> None:
    result = script(
        FORK
        + f"""
nc = jetstow.connect()
store = nc.jetstream().create_object_store("{bucket}")
store.put("a", bytes(300_000))
stream, watcher, reader = store.stream("a"), store.watch(), store.open("a")
next(stream), next(watcher), reader.read(1)
writer = store.open("never", "wb")
writer.write(b"1")

def work():
    print(len(store.get("a").data), flush=True)
    sys.exit(0)

child(work)
child(sys.exit)
child(lambda: sys.exit(0 if store.put("b", b"1") else 1))
print(len(store.list()))
"""
    )
    assert (result.code, result.out, result.err) == (0, "300000\n2\n", "")


# -- pickles -----------------------------------------------------------------------------------


def read(store: jetstow.ObjectStore, name: str) -> bytes:
    return store.get(name).data or b""


def count(nc: jetstow.Client, js: jetstow.JetStreamContext, bucket: str) -> int:
    return len(nc.jetstream().object_store(bucket).list() + js.object_store(bucket).list())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_process_pool(
    nc: jetstow.Client, store: jetstow.ObjectStore, server: NatsServer, method: str
) -> None:
    for number in range(6):
        store.put(str(number), DATA[number:])
    before = clients(server)
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        names = [str(number) for number in range(6)]
        found = list(pool.map(read, [store] * 6, names))
        assert found == [DATA[number:] for number in range(6)]
        assert pool.submit(count, nc, nc.jetstream(timeout=3), store.bucket).result() == 12
        assert clients(server) == before + 1, "what comes from one connection shares one"
    store.put("after", DATA)


def leave_open(store: jetstow.ObjectStore) -> None:
    store.open("never", "wb").write(DATA)
    kept.append(store.open("never either", "wb"))
    kept[0].write(DATA)


kept: list[jetstow.ObjectWriter] = []


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_process_end_discards_open_writers(
    store: jetstow.ObjectStore, server: NatsServer, method: str
) -> None:
    process = multiprocessing.get_context(method).Process(  # type: ignore[attr-defined]
        target=leave_open, args=[store]
    )
    process.start()
    process.join()
    assert process.exitcode == 0
    assert run_on_server(server, raw_stream.subjects, store.bucket) == {}


def test_unpickled_store_shares_the_connection(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    for other in (pickle.loads(pickle.dumps(store)), copy.copy(store), store.as_stored()):
        assert other.get("a").data == DATA
    again = pickle.loads(pickle.dumps(store.as_stored()))
    assert repr(again) == f"<jetstow.sync.ObjectStore {store.bucket!r} as stored>"


def test_encryption_key_is_not_pickled(store: jetstow.ObjectStore) -> None:
    with pytest.raises(InvalidOptionError, match="which is not pickled"):
        pickle.dumps(store.encrypted(bytes(32)))


def test_open_resources_are_not_pickled(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    with store.open("a") as reader, store.open("b", "wb") as writer, store.watch() as watcher:
        for thing in (reader, writer, watcher, store.stream("a")):
            with pytest.raises(TypeError, match="pickle"):
                pickle.dumps(thing)
