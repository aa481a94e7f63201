"""The worker runs one function at a time, and none after its owner has exited."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from anyio import CapacityLimiter, to_thread

from jetstow._core.aio.sink import write_chunks
from jetstow._core.aio.source import open_source
from jetstow._core.aio.worker import Worker, is_regular_file, run_in_thread


async def test_functions_run_one_at_a_time() -> None:
    running, concurrent = 0, 0

    def function(number: int) -> int:
        nonlocal running, concurrent
        running += 1
        concurrent = max(concurrent, running)
        running -= 1
        return number

    async with Worker[int]() as worker:
        for i in range(20):
            await worker.start(function, i)
        assert await worker.result() == 19
        assert await worker.result() is None
    assert concurrent == 1


async def test_loop_runs_beside_function() -> None:
    may_end = threading.Event()
    async with Worker[bool]() as worker:
        await worker.start(may_end.wait, 20)
        may_end.set()
        assert await worker.result() is True


async def test_error_is_raised_by_next_start() -> None:
    async with Worker[object]() as worker:
        await worker.start(int, "x")
        with pytest.raises(ValueError, match="'x'"):
            await worker.start(int, "1")


@pytest.mark.parametrize("leave", [RuntimeError, asyncio.CancelledError])
async def test_exit_waits_for_function(leave: type[BaseException]) -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def function() -> None:
        begun.set()
        may_end.wait(20)
        ended.set()
        raise ValueError("not retrieved")

    async def use() -> None:
        async with Worker[None]() as worker:
            await worker.start(function)
            await asyncio.to_thread(begun.wait, 20)
            asyncio.get_running_loop().call_soon(may_end.set)
            raise leave

    with pytest.raises(leave):
        await use()
    assert ended.is_set()


async def test_cancelled_wait_ends_after_function() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def function() -> None:
        begun.set()
        may_end.wait(20)
        ended.set()

    async def use() -> None:
        async with Worker[None]() as worker:
            await worker.start(function)
            await worker.result()

    task = asyncio.create_task(use())
    await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_cancelled_run_in_thread_ends_after_function() -> None:
    started, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def function() -> None:
        started.set()
        may_end.wait(20)
        ended.set()

    task = asyncio.create_task(run_in_thread(function))
    await asyncio.to_thread(started.wait, 20)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_run_in_thread_returns_and_raises() -> None:
    assert await run_in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(divmod, 7, 0)


def test_pipe_device_and_closed_file_are_not_regular(tmp_path: Path) -> None:
    read, write = os.pipe()
    with (tmp_path / "a").open("wb") as file, os.fdopen(read), os.fdopen(write, "w") as pipe:
        assert is_regular_file(file)
        assert not is_regular_file(pipe)
    assert not is_regular_file(file)
    assert not is_regular_file(object())
    with Path(os.devnull).open("wb") as device:
        assert not is_regular_file(device)


def test_end_of_the_loop_waits_for_the_function() -> None:
    """`asyncio.run` cancelled the task of the thread, too. A function that created a file then left
    it open: `ResourceWarning: unclosed file`.
    """
    started, continues = threading.Event(), threading.Event()
    events: list[str] = []

    def function() -> None:
        started.set()
        continues.wait()
        events.append("function")

    async def work() -> None:
        async with Worker[None]() as worker:
            await worker.start(function)
            await asyncio.Event().wait()

    async def use() -> None:
        try:
            await work()
        finally:
            events.append("owner")

    async def main() -> None:
        using = asyncio.create_task(use())
        while not started.is_set():
            await asyncio.sleep(0)
        threading.Timer(0.05, continues.set).start()
        assert not using.done()  # `asyncio.run` cancels it, and the task of the thread

    asyncio.run(main())
    assert events == ["function", "owner"]


@pytest.fixture
async def one_thread() -> AsyncIterator[CapacityLimiter]:
    """The limiter of all functions in threads, with one thread."""
    limiter = to_thread.current_default_thread_limiter()
    tokens, limiter.total_tokens = limiter.total_tokens, 1
    yield limiter
    limiter.total_tokens = tokens


async def test_cancelled_before_the_function_starts(one_thread: CapacityLimiter) -> None:
    """All threads are busy: the function never starts. The caller waited for a thread."""
    continues, calls = threading.Event(), list[str]()
    busy = asyncio.create_task(run_in_thread(continues.wait))

    async def use_worker() -> None:
        async with Worker[None]() as worker:
            await worker.start(calls.append, "worker")
            await worker.result()

    uses = (run_in_thread(calls.append, "called"), use_worker())
    waiting = [asyncio.create_task(use) for use in uses]
    while one_thread.statistics().tasks_waiting < len(waiting):
        await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    _, pending = await asyncio.wait(waiting, timeout=20)
    continues.set()
    await busy
    assert not pending
    assert all(task.cancelled() for task in waiting)
    assert calls == []


class IdlePipe:
    """A pipe whose other end neither writes nor reads until `may_end` is set."""

    def __init__(self) -> None:
        self.used, self.may_end = threading.Event(), threading.Event()
        self._ends = os.pipe()

    def fileno(self) -> int:
        return self._ends[0]

    def close(self) -> None:
        for end in self._ends:
            os.close(end)

    def read(self, size: int) -> bytes:
        self.used.set()
        self.may_end.wait()
        return bytes(size)[:0]

    def write(self, data: bytes) -> int:
        self.read(0)
        return len(data)


async def read(pipe: IdlePipe) -> None:
    async for _ in open_source(pipe).chunks(1_000):
        pass


async def write(pipe: IdlePipe) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"data"

    await write_chunks(chunks(), pipe)


@pytest.mark.parametrize("use", [read, write])
async def test_idle_pipe_leaves_threads_to_files(
    one_thread: CapacityLimiter, use: Callable[[IdlePipe], Coroutine[Any, Any, None]]
) -> None:
    """40 pipes without data, or whose data no other process read, blocked all work with files."""
    pipe = IdlePipe()
    idle = asyncio.create_task(use(pipe))
    while not pipe.used.is_set():
        await asyncio.sleep(0)
    work = asyncio.create_task(run_in_thread(os.getpid))
    _, pending = await asyncio.wait([work], timeout=20)
    pipe.may_end.set()
    await asyncio.gather(idle, work)
    pipe.close()
    assert not pending


class Recorder:
    """A file of Python only, which cannot block forever. It records the threads that write."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    def write(self, data: bytes) -> int:
        self.threads.add(threading.get_ident())
        return len(data)


@pytest.mark.usefixtures("one_thread")
async def test_files_of_python_share_threads() -> None:
    """Each of 2,000 writes into such a file had a thread of its own."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"data"

    file = Recorder()
    await asyncio.gather(*(write_chunks(chunks(), file) for _ in range(100)))
    assert len(file.threads) == 1
