"""Forked and spawned processes: each has connections of its own, and disturbs nobody's."""

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
from jetstow.errors import ConnectionLostError, InvalidOptionError
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer
from tests.sync.looking import look
from tests.sync.script import Ended

# Newer Pythons warn of every fork of a process that has threads.
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


def in_child(work: Callable[[], None]) -> None:
    """Run something in a forked child; it must end well."""
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


def test_a_forked_child_connects_for_itself(store: jetstow.ObjectStore, server: NatsServer) -> None:
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


def test_after_a_fork_nobody_writes_under_the_nuid_of_another(store: jetstow.ObjectStore) -> None:
    """Both had the next NUID of one row: chunks of two objects lay on one subject."""
    in_child(lambda: store.put("first child", DATA) and None)
    in_child(lambda: store.put("second child", DATA[1:]) and None)
    store.put("parent", DATA[2:])
    infos = store.list()
    assert len({info.nuid for info in infos}) == 3
    assert store.verify().ok


def test_a_grandchild_and_an_encrypted_bucket(store: jetstow.ObjectStore) -> None:
    secret = store.encrypted(bytes(32))
    secret.put("a", DATA)

    def grandchild() -> None:
        assert secret.get("a").data == DATA

    def child() -> None:
        assert secret.get_info("a").size == len(DATA)
        in_child(grandchild)
        assert secret.get("a").data == DATA

    in_child(child)


def test_what_is_open_does_not_go_through_a_fork(store: jetstow.ObjectStore) -> None:
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


def test_a_closed_connection_stays_closed(server: NatsServer, bucket: str) -> None:
    with jetstow.connect(server.url) as nc:
        store = nc.jetstream().create_object_store(bucket)

    def work() -> None:
        with pytest.raises(ConnectionLostError):
            store.get("a")

    in_child(work)


def test_a_child_ends_without_a_word(script: Callable[..., Ended], bucket: str) -> None:
    ended = script(
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
    assert (ended.code, ended.out, ended.err) == (0, "300000\n2\n", "")


# -- pickles -----------------------------------------------------------------------------------


def read(store: jetstow.ObjectStore, name: str) -> bytes:
    return store.get(name).data or b""


def count(nc: jetstow.Client, js: jetstow.JetStreamContext, bucket: str) -> int:
    return len(nc.jetstream().object_store(bucket).list() + js.object_store(bucket).list())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes(
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
def test_a_process_that_ends_leaves_nothing_half_done(
    store: jetstow.ObjectStore, server: NatsServer, method: str
) -> None:
    process = multiprocessing.get_context(method).Process(target=leave_open, args=[store])
    process.start()
    process.join()
    assert process.exitcode == 0
    assert look(server, raw_stream.subjects, store.bucket) == {}


def test_a_pickle_in_the_same_process_is_the_same_connection(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    for other in (pickle.loads(pickle.dumps(store)), copy.copy(store), store.as_stored()):
        assert other.get("a").data == DATA
    again = pickle.loads(pickle.dumps(store.as_stored()))
    assert repr(again) == f"<jetstow.sync.ObjectStore {store.bucket!r} as stored>"


def test_a_key_is_not_pickled(store: jetstow.ObjectStore) -> None:
    with pytest.raises(InvalidOptionError, match="no pickle carries"):
        pickle.dumps(store.encrypted(bytes(32)))


def test_what_is_open_is_not_pickled(store: jetstow.ObjectStore) -> None:
    store.put("a", DATA)
    with store.open("a") as reader, store.open("b", "wb") as writer, store.watch() as watcher:
        for thing in (reader, writer, watcher, store.stream("a")):
            with pytest.raises(TypeError, match="pickle"):
                pickle.dumps(thing)
