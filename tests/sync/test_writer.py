"""An object opened for writing exists only if the file is closed without an exception."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Iterator, Sequence

import pytest

import jetstow.sync as jetstow
from jetstow.errors import DigestMismatchError, InvalidDataError, ObjectAlreadyExists
from jetstow.models import ObjectMeta
from tests.support import raw_stream
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer
from tests.sync.plain_client import run_on_server

DATA = some_bytes(3_000_000)


@pytest.fixture
def empty_bucket(store: jetstow.ObjectStore, server: NatsServer) -> Iterator[None]:
    """Check after the test that the bucket has neither an object nor a chunk."""
    yield
    gc.collect()
    # A collected file is discarded a little later. The calls run in the same loop, after that.
    for _ in range(200):
        if not run_on_server(server, raw_stream.subjects, store.bucket):
            break
        store.status()
    assert run_on_server(server, raw_stream.subjects, store.bucket) == {}


def test_file_interface(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb", jetstow.ObjectMeta(description="words"), expected_revision=0)
    assert isinstance(file, io.BufferedIOBase)
    assert (file.readable(), file.seekable(), file.writable()) == (False, False, True)
    assert (file.name, file.mode, file.info) == ("a", "wb", None)
    assert file.write(b"") == 0
    for start in range(0, len(DATA), 1000):
        assert file.write(memoryview(DATA)[start : start + 1000]) == 1000
    assert file.tell() == len(DATA)
    file.flush()
    with pytest.raises(io.UnsupportedOperation):
        file.read()
    with pytest.raises(io.UnsupportedOperation):
        file.seek(0)
    assert store.list() == []
    file.close()
    assert file.info is not None
    assert (file.info.size, file.info.description) == (len(DATA), "words")
    assert store.get("a").data == DATA
    file.close()
    for step in (lambda: file.write(b"1"), file.flush, file.tell):
        with pytest.raises(ValueError, match="is closed"):
            step()


def test_reused_buffer(store: jetstow.ObjectStore) -> None:
    with store.open("a", "wb") as file:
        memory = bytearray(300_000)
        for number in range(10):
            memory[:] = bytes([number]) * len(memory)
            file.write(memory)
    assert store.get("a").data == b"".join(bytes([n]) * 300_000 for n in range(10))


@pytest.mark.usefixtures("empty_bucket")
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_exception_discards_the_object(
    store: jetstow.ObjectStore, kind: type[BaseException]
) -> None:
    def write() -> None:
        with store.open("a", "wb") as file:
            file.write(DATA)
            raise kind("half-way")

    with pytest.raises(kind):
        write()


@pytest.mark.usefixtures("empty_bucket")
def test_exception_in_a_wrapper_discards_the_object(store: jetstow.ObjectStore) -> None:
    """`TextIOWrapper` closes the file even after an exception, which completed the object."""

    def write() -> None:
        with store.open("a", "wb") as file, io.TextIOWrapper(file, encoding="ascii") as text:
            text.write("half" * 200_000)
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        write()


def test_close_while_handling_an_exception(store: jetstow.ObjectStore) -> None:
    try:
        raise KeyError("no such entry")
    except KeyError:
        with store.open("a", "wb") as file:
            file.write(b"made instead")
            file.close()
        with io.TextIOWrapper(store.open("b", "wb"), encoding="ascii") as text:
            text.write("this too")
    assert store.get("a").data == b"made instead"
    assert store.get("b").data == b"this too"


@pytest.mark.usefixtures("empty_bucket")
def test_collected_wrapper_discards_the_object(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb")
    io.TextIOWrapper(file, encoding="ascii").write("text")
    assert file.closed
    with pytest.raises(ValueError, match="discarded"):
        file.close()


@pytest.mark.usefixtures("empty_bucket")
def test_abort(store: jetstow.ObjectStore) -> None:
    with store.open("a", "wb") as file:
        file.write(DATA)
        file.abort()
    assert file.info is None
    file.abort()


@pytest.mark.usefixtures("empty_bucket")
def test_collected_file_discards_the_object(store: jetstow.ObjectStore) -> None:
    store.open("a", "wb").write(DATA)
    io.TextIOWrapper(store.open("b", "wb"), encoding="ascii").write("text" * 100_000)
    loop = [store.open("c", "wb")]
    loop.append(loop)  # type: ignore[arg-type]
    loop[0].write(DATA)


@pytest.mark.usefixtures("empty_bucket")
def test_failed_write(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb")
    file.write(DATA)
    for wrong in ("text", 7):
        with pytest.raises((InvalidDataError, TypeError)):
            file.write(wrong)  # type: ignore[arg-type]
    file.abort()


def test_failed_precondition_on_close(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb", expected_revision=0)
    file.write(DATA)
    store.put("a", b"other")
    with pytest.raises(ObjectAlreadyExists):
        file.close()
    assert file.closed
    assert store.get("a").data == b"other"
    assert store.verify().unused in {0, None}


def test_meta_size_and_digest_before_the_commit(store: jetstow.ObjectStore) -> None:
    old = store.put("a", b"old")
    with store.open("a", "wb", content_type="text/csv", keep_replaced=True) as file:
        file.write(b"12345")
        assert (file.size, file.digest) == (5, digest_of(b"12345"))
        file.write(b"678")
        assert file.meta.content_type == "text/csv"
        file.meta.metadata = {"digest": file.digest}
        nuid = file.nuid
    info = store.get_info("a")
    assert info.metadata == {"digest": digest_of(b"12345678")}
    assert (info.nuid, info.digest, info.content_type) == (nuid, file.digest, "text/csv")
    assert file.info is not None
    assert file.info.replaced == old
    with store.open("b", "wb") as other:
        other.meta = ObjectMeta(description="words")
    assert store.get_info("b").description == "words"


def test_unexpected_digest_stores_nothing(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb", expected_digest=digest_of(b"other"))
    file.write(b"bytes")
    with pytest.raises(DigestMismatchError):
        file.close()
    assert not store.exists("a")


def test_garbage_collection_asks_in_the_calling_thread(store: jetstow.ObjectStore) -> None:
    store.put("a", b"old")
    store.put("a", b"new", keep_replaced=True)
    threads = []

    def keep(nuids: Sequence[str]) -> list[str]:
        threads.append(threading.current_thread())
        assert store.exists("a")
        return list(nuids)

    assert store.collect_garbage(grace=0, keep=keep).uploads == 0
    assert threads == [threading.current_thread()]
    assert store.collect_garbage(grace=0).uploads == 1
    assert store.delete("a") is not None
