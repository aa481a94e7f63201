"""The paths that objects take to the server and back, and how a test selects one.

A connection takes the best path that its server has: 2.11 has batched Direct Get. On the latest
server alone the others would go untested, and on older ones what they do would be tested on older
servers only. jetstow has no switch for it, so a test patches what jetstow knows of a bucket.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest


def _consumer(patch: pytest.MonkeyPatch) -> None:
    """Chunks are read by consumers, as before 2.11."""
    patch.setattr("jetstow._core.bucket.stream.Stream.has_batched_get", False)


def _plain(patch: pytest.MonkeyPatch) -> None:
    """All goes through nats-py, as over websockets or on a connection that a user has made."""

    async def nowhere(*_: object) -> None:
        return None

    patch.setattr("jetstow._core.transport.fast_path.FastPath.attach", nowhere)


# A new path is one more entry here; `not_on` then names the tests that make no sense on it.
PATHS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "consumer": _consumer,
    "plain": _plain,
}

# 2.10 and 2.9 read by consumers.
_TAKEN_BY_OLDER = {"consumer"}


def selected() -> tuple[str, ...]:
    """The paths that `JETSTOW_TEST_PATHS` names (a comma list, or `all`), beside the best one.

    All of them if it names none and `JETSTOW_TEST_SERVERS` asks for all servers.
    """
    text = os.environ.get("JETSTOW_TEST_PATHS", "").strip()
    everything = os.environ.get("JETSTOW_TEST_SERVERS", "").strip() == "all"
    if text == "all" or (not text and everything):
        return tuple(PATHS)
    chosen = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if unknown := set(chosen) - set(PATHS):
        raise ValueError(f"JETSTOW_TEST_PATHS: unknown {sorted(unknown)}, known {tuple(PATHS)}")
    return chosen


def of_no_version() -> tuple[str, ...]:
    """Those of them that no selected server takes by itself; all that are asked for by name."""
    if os.environ.get("JETSTOW_TEST_PATHS", "").strip():
        return selected()
    return tuple(path for path in selected() if path not in _TAKEN_BY_OLDER)
