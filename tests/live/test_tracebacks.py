"""Tracebacks of errors: the caller's lines, and the line that raised."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any

import pytest

import jetstow
from jetstow import sync
from jetstow.errors import BucketExistsError, JetstowError, NoServersError
from tests.support.servers import NatsServer, free_port

pytestmark = pytest.mark.one_path

MAX_LINES = 25

CALLS: dict[str, Callable[[jetstow.ObjectStore], Awaitable[Any]]] = {
    "get": lambda store: store.get("missing"),
    "get_range": lambda store: store.get_range("missing", 1, 2),
    "get_info": lambda store: store.get_info("missing"),
    "open": lambda store: store.open("missing"),
    "delete": lambda store: store.delete("missing"),
    "rename": lambda store: store.rename("missing", "b"),
    "put": lambda store: store.put("", b""),
    "put at a revision": lambda store: store.put("a", b"", expected_revision=7),
    "copy": lambda store: store.copy("missing", "b"),
    "verify": lambda store: store.verify("missing"),
}


def lines_of(error: BaseException) -> list[str]:
    return "".join(traceback.format_exception(error)).splitlines()


def frames_of(error: BaseException) -> list[str]:
    """Return the modules of the frames of a traceback, from the caller to the line that raised."""
    frames: list[str] = []
    step: TracebackType | None = error.__traceback__
    while step is not None:
        frames.append(str(step.tb_frame.f_globals["__name__"]))
        step = step.tb_next
    return frames


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_asynchronous_call(
    store: jetstow.ObjectStore, call: Callable[[jetstow.ObjectStore], Awaitable[Any]]
) -> None:
    """It had up to 30 lines, most of them frames of jetstow."""
    with pytest.raises(JetstowError) as caught:
        await call(store)
    assert len(lines_of(caught.value)) <= MAX_LINES
    first, *others = frames_of(caught.value)
    assert first == __name__
    assert len(others) <= 2
    assert others[-1].startswith("jetstow.")


async def test_missing_bucket_and_no_server(js: jetstow.JetStreamContext) -> None:
    with pytest.raises(JetstowError) as caught:
        await js.object_store("missing")
    assert len(frames_of(caught.value)) == 2
    await js.create_object_store(bucket := "tracebacks")
    with pytest.raises(BucketExistsError) as exists:
        await js.create_object_store(bucket, description="other")
    await js.delete_object_store(bucket)
    assert len(frames_of(exists.value)) == 2
    with pytest.raises(NoServersError) as refused:
        await jetstow.connect(f"nats://127.0.0.1:{free_port()}")
    assert len(lines_of(refused.value)) <= MAX_LINES
    assert "nats.aio.client" not in frames_of(refused.value)


async def test_blocking_calls(server: NatsServer, bucket: str) -> None:
    def run() -> None:
        with sync.connect(server.url) as nc:
            js = nc.jetstream()
            store = js.create_object_store(bucket)
            calls: list[Callable[[], Any]] = [
                lambda: store.get("missing"),
                lambda: store.open("missing"),
                lambda: list(store.stream("missing")),
                lambda: js.object_store("missing"),
                lambda: sync.connect(f"nats://127.0.0.1:{free_port()}"),
            ]
            for call in calls:
                with pytest.raises(JetstowError) as caught:
                    call()
                assert len(lines_of(caught.value)) <= MAX_LINES, lines_of(caught.value)
                assert not any(frame.startswith("nats.") for frame in frames_of(caught.value))
            js.delete_object_store(bucket)

    await asyncio.to_thread(run)


async def test_frames_of_the_caller_stay(store: jetstow.ObjectStore) -> None:
    """The source of a put is the caller's code, and its own error is not shortened."""

    def pieces(error: Exception) -> Iterator[bytes]:
        yield b"x"
        raise error

    with pytest.raises(JetstowError) as ours:
        await store.put("a", pieces(JetstowError("mine")))
    assert frames_of(ours.value) == [__name__, __name__]
    with pytest.raises(ZeroDivisionError) as theirs:
        await store.put("a", pieces(ZeroDivisionError()))
    assert len(frames_of(theirs.value)) > 5
