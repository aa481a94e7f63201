"""Sinks in memory: sizes, buffers, and metadata that states an impossible size."""

from __future__ import annotations

import pytest

from jetstow._core.aio.memory_sink import BufferSink, MemorySink
from jetstow.errors import InvalidDataError

MIB = 1024 * 1024


@pytest.mark.parametrize("size", [0, 1, 5, 256 * 1024, 3 * MIB, 40 * MIB])
def test_bytes_are_those_written(size: int) -> None:
    """40 MiB have their pages populated."""
    data = bytes(range(251)) * (size // 251 + 1)
    sink = MemorySink()
    sink.start(size)
    for start in range(0, size, 100_003):
        assert sink.take(memoryview(data)[start : min(start + 100_003, size)])
    assert sink.finish() == data[:size]


@pytest.mark.parametrize("size", [2**50, 2**62, 2**63])
def test_impossible_size(size: int) -> None:
    sink = MemorySink()
    sink.start(size)
    assert sink.take(b"abc")
    if sink._buffer is None:
        assert sink.finish() == b"abc"


async def test_more_bytes_than_announced() -> None:
    sink = MemorySink()
    sink.start(MIB)
    assert sink.take(bytes(MIB))
    assert not sink.take(b"x")
    with pytest.raises(InvalidDataError):
        await sink.write(b"x")


async def test_second_start_begins_again() -> None:
    buffer = bytearray(4)
    sinks: list[MemorySink | BufferSink] = [MemorySink(), BufferSink(memoryview(buffer))]
    for sink in sinks:
        sink.start(4)
        assert sink.take(b"old")
        sink.start(4)
        await sink.write(b"new")
    assert buffer[:3] == b"new"
    assert isinstance(sinks[0], MemorySink)
    assert sinks[0].finish() == b"new"
