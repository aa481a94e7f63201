"""Which trouble is lived through, and for how long. The connection here only says how it is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from jetstow._core.protocol.context import Target
from jetstow._core.transport.retry import Outage
from jetstow.errors import (
    BucketFullError,
    ConnectionLostError,
    JetstowError,
    JetStreamUnavailableError,
    TimeoutError,
)

TARGET = Target("b", "a")


class RestoreResult:
    """The word of the connection: it is back, as often as it is asked."""

    asked = 0

    async def restored(self, target: Target) -> None:
        assert target is TARGET
        self.asked += 1


def outage(endurance: float = 0.0) -> tuple[Outage, RestoreResult]:
    standing = RestoreResult()
    replies = SimpleNamespace(standing=standing)
    js: Any = SimpleNamespace(replies=replies, endurance=endurance)
    return Outage(js, TARGET), standing


async def test_a_connection_that_is_back_is_no_trouble() -> None:
    trouble, standing = outage()
    for _ in range(5):
        await trouble.survive(ConnectionLostError("gone"))
    assert standing.asked == 5


async def test_what_breaks_every_connection_is_not_asked_for_for_ever() -> None:
    trouble, _ = outage()

    async def for_ever() -> None:
        while True:
            await trouble.survive(ConnectionLostError("gone"))

    with pytest.raises(ConnectionLostError, match="gone"):
        await for_ever()
    trouble.is_over()
    await trouble.survive(ConnectionLostError("gone"))


@pytest.mark.parametrize(
    "error", [TimeoutError("silent"), JetStreamUnavailableError("nobody"), BucketFullError("full")]
)
async def test_one_server_that_says_no_or_nothing_is_believed(error: JetstowError) -> None:
    trouble, _ = outage()
    with pytest.raises(type(error)):
        await trouble.survive(error)


async def test_replicas_are_given_time_to_elect_a_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble, _ = outage(endurance=20.0)
    loop = asyncio.get_running_loop()
    now = loop.time()
    for passed, error in ((0, JetStreamUnavailableError("nobody")), (19, TimeoutError("silent"))):
        monkeypatch.setattr(loop, "time", lambda: now + passed)  # noqa: B023
        monkeypatch.setattr("jetstow._core.transport.retry._PAUSE", 0)
        await trouble.survive(error)
    monkeypatch.setattr(loop, "time", lambda: now + 21)
    with pytest.raises(TimeoutError):
        await trouble.survive(TimeoutError("silent"))
    with pytest.raises(BucketFullError):
        await trouble.survive(BucketFullError("full"))
