"""A crash of another client does not end the tests: its operations are repeated once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.support.peers import PeerError
from tests.support.peers.natsrpy import NatsRpy
from tests.support.peers.process import PeerCrashedError, PeerProcess
from tests.support.servers import NatsServer


@pytest.fixture
def process() -> Iterator[PeerProcess]:
    with closing(PeerProcess("natsrpy", NatsRpy.command())) as process:
        yield process


async def crash_in_three_reads(
    server: NatsServer, process: PeerProcess, peer: NatsRpy
) -> asyncio.Future[list[bytes | None]]:
    """Kill the process while the paused server delays three reads of an object with one byte."""
    await peer.open(server.url)
    await peer.create("bucket")
    await peer.put("bucket", "it", b"1")
    server.pause()
    reads = asyncio.gather(*(peer.get("bucket", "it") for _ in range(3)))
    await asyncio.sleep(0)  # each read sends its request
    os.kill(process.pid, signal.SIGKILL)
    return reads


async def test_crash_in_an_operation(
    process: PeerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    # A panic of natsrpy aborted the process that ran the tests (`natsrpy/peer.py`).
    peer = NatsRpy(process)
    with NatsServer() as server:
        reads = await crash_in_three_reads(server, process, peer)
        server.resume()
        assert await reads == [b"1"] * 3
        await peer.close()

    assert process.starts == 2
    assert "natsrpy crashed in 'get', which is repeated" in caplog.text
    assert "ended with SIGKILL" in caplog.text


async def test_crash_in_the_repeated_operation(process: PeerProcess) -> None:
    peer = NatsRpy(process)
    with NatsServer() as server:
        reads = await crash_in_three_reads(server, process, peer)
        async with asyncio.timeout(30):
            while process.starts < 2:
                await asyncio.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(PeerCrashedError, match="SIGKILL"):
            await reads
        server.resume()

        # The next test connects again.
        await peer.open(server.url)
        assert await peer.get("bucket", "it") == b"1"
        await peer.close()


async def test_end_without_a_crash() -> None:
    program = "import sys; sys.stdin.readline(); sys.exit('cannot run')"
    with closing(PeerProcess("broken", [sys.executable, "-c", program])) as process:
        for _ in range(2):
            with pytest.raises(PeerError, match=r"broken ended with status 1\ncannot run") as ended:
                await process.request("open")
            assert not isinstance(ended.value, PeerCrashedError)
