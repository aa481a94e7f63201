"""Which failures are retried, and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.transport.retry import RetryPolicy
from jetstow.errors import (
    BucketFullError,
    ConnectionLostError,
    JetstowError,
    JetStreamUnavailableError,
    TimeoutError,
)

CONTEXT = ErrorContext("b", "a")


class AlwaysConnected:
    """A connection state that counts how often a policy waits for it."""

    waits = 0

    async def wait_connected(self, context: ErrorContext) -> None:
        assert context is CONTEXT
        self.waits += 1


def make_policy(
    retry_timeout: float = 0.0, unavailable_timeout: float = 0.0
) -> tuple[RetryPolicy, AlwaysConnected]:
    state: Any = AlwaysConnected()
    return RetryPolicy(state, CONTEXT, retry_timeout, unavailable_timeout), state


async def test_lost_connection_is_waited_for() -> None:
    policy, state = make_policy()
    for _ in range(5):
        await policy.wait_or_raise(ConnectionLostError("gone"))
    assert state.waits == 5


async def test_request_that_breaks_every_connection_ends() -> None:
    policy, _ = make_policy()

    async def retry_forever() -> None:
        while True:
            await policy.wait_or_raise(ConnectionLostError("gone"))

    with pytest.raises(ConnectionLostError, match="gone"):
        await retry_forever()
    policy.succeeded()
    await policy.wait_or_raise(ConnectionLostError("gone"))


@pytest.mark.parametrize(
    "error",
    [TimeoutError("silent"), JetStreamUnavailableError("503"), BucketFullError("full")],
)
async def test_request_without_a_bucket_is_not_retried(error: JetstowError) -> None:
    policy, _ = make_policy()
    with pytest.raises(type(error)):
        await policy.wait_or_raise(error)


@pytest.mark.parametrize("error", [TimeoutError("silent"), JetStreamUnavailableError("503")])
async def test_cancelled_caller_is_not_retried(
    monkeypatch: pytest.MonkeyPatch, error: JetstowError
) -> None:
    """The call was retried for 20 seconds although its caller was cancelled."""
    policy, _ = make_policy(retry_timeout=20.0, unavailable_timeout=20.0)
    monkeypatch.setattr("jetstow._core.transport.retry._RETRY_DELAY", 60)
    raised: list[JetstowError] = []
    failed = asyncio.Event()

    async def fail_until_cancelled() -> None:
        try:
            while True:
                failed.set()
                await policy.wait_or_raise(error)
                await asyncio.sleep(0)
        except JetstowError as last:
            raised.append(last)

    call = asyncio.create_task(uncancelled(fail_until_cancelled()))
    await failed.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert raised == [error]


async def test_single_server_gets_time_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, _ = make_policy(unavailable_timeout=5.0)
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr("jetstow._core.transport.retry._RETRY_DELAY", 0)
    await policy.wait_or_raise(JetStreamUnavailableError("503"))
    with pytest.raises(TimeoutError):
        await policy.wait_or_raise(TimeoutError("silent"))
    monkeypatch.setattr(loop, "time", lambda: now + 6)
    with pytest.raises(JetStreamUnavailableError):
        await policy.wait_or_raise(JetStreamUnavailableError("503"))


async def test_cluster_without_a_leader_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, _ = make_policy(retry_timeout=20.0)
    monkeypatch.setattr("jetstow._core.transport.retry._RETRY_DELAY", 0)
    without_leader = JetStreamUnavailableError("JetStream system temporarily unavailable")
    without_leader.err_code = 10008
    await policy.wait_or_raise(without_leader)
    with pytest.raises(JetStreamUnavailableError):
        await policy.wait_or_raise(JetStreamUnavailableError("JetStream is not enabled"))


async def test_replicas_get_time_to_elect_a_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, _ = make_policy(retry_timeout=20.0, unavailable_timeout=20.0)
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr("jetstow._core.transport.retry._RETRY_DELAY", 0)
    for passed, error in (
        (0, JetStreamUnavailableError("503")),
        (19, TimeoutError("silent")),
    ):
        monkeypatch.setattr(loop, "time", lambda: now + passed)  # noqa: B023
        await policy.wait_or_raise(error)
    monkeypatch.setattr(loop, "time", lambda: now + 21)
    with pytest.raises(TimeoutError):
        await policy.wait_or_raise(TimeoutError("silent"))
    with pytest.raises(BucketFullError):
        await policy.wait_or_raise(BucketFullError("full"))
