"""An object opened for writing: it exists once it is closed, and on no other way out."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator

import pytest

import jetstow.sync as jetstow
from jetstow.errors import InvalidDataError, ObjectAlreadyExists
from tests.support import raw_stream
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer
from tests.sync.looking import look

DATA = some_bytes(3_000_000)


@pytest.fixture
def nothing_left(store: jetstow.ObjectStore, server: NatsServer) -> Iterator[None]:
    """Neither an object nor a chunk, once the test is over."""
    yield
    gc.collect()
    # What was collected is given up a little later: in order, so that this waits for it.
    for _ in range(200):
        if not look(server, raw_stream.subjects, store.bucket):
            break
        store.status()
    assert look(server, raw_stream.subjects, store.bucket) == {}


def test_it_is_a_file(store: jetstow.ObjectStore) -> None:
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
        with pytest.raises(ValueError, match="finished"):
            step()


def test_memory_may_be_used_again(store: jetstow.ObjectStore) -> None:
    with store.open("a", "wb") as file:
        memory = bytearray(300_000)
        for number in range(10):
            memory[:] = bytes([number]) * len(memory)
            file.write(memory)
    assert store.get("a").data == b"".join(bytes([n]) * 300_000 for n in range(10))


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_leaves_nothing(store: jetstow.ObjectStore, kind: type[BaseException]) -> None:
    def write() -> None:
        with store.open("a", "wb") as file:
            file.write(DATA)
            raise kind("half-way")

    with pytest.raises(kind):
        write()


@pytest.mark.usefixtures("nothing_left")
def test_an_exception_within_a_wrapper_leaves_nothing(store: jetstow.ObjectStore) -> None:
    """The wrapper closes what it wraps, whatever happens in it."""

    def write() -> None:
        with store.open("a", "wb") as file, io.TextIOWrapper(file, encoding="ascii") as text:
            text.write("half" * 200_000)
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        write()


def test_closing_while_an_exception_is_handled(store: jetstow.ObjectStore) -> None:
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


@pytest.mark.usefixtures("nothing_left")
def test_a_wrapper_that_is_forgotten_gives_the_object_up(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb")
    io.TextIOWrapper(file, encoding="ascii").write("text")
    assert file.closed
    with pytest.raises(ValueError, match="given up"):
        file.close()


@pytest.mark.usefixtures("nothing_left")
def test_abort_leaves_nothing(store: jetstow.ObjectStore) -> None:
    with store.open("a", "wb") as file:
        file.write(DATA)
        file.abort()
    assert file.info is None
    file.abort()


@pytest.mark.usefixtures("nothing_left")
def test_a_file_that_is_forgotten_leaves_nothing(store: jetstow.ObjectStore) -> None:
    store.open("a", "wb").write(DATA)
    io.TextIOWrapper(store.open("b", "wb"), encoding="ascii").write("text" * 100_000)
    loop = [store.open("c", "wb")]
    loop.append(loop)  # type: ignore[arg-type]
    loop[0].write(DATA)


@pytest.mark.usefixtures("nothing_left")
def test_a_write_that_fails_gives_the_object_up(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb")
    file.write(DATA)
    for wrong in ("text", 7):
        with pytest.raises((InvalidDataError, TypeError)):
            file.write(wrong)  # type: ignore[arg-type]
    file.abort()


def test_a_condition_that_fails_at_the_end(store: jetstow.ObjectStore) -> None:
    file = store.open("a", "wb", expected_revision=0)
    file.write(DATA)
    store.put("a", b"other")
    with pytest.raises(ObjectAlreadyExists):
        file.close()
    assert file.closed
    assert store.get("a").data == b"other"
    assert store.verify().unused in {0, None}
