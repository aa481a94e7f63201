"""The paths that objects take to the server and back, and their selection by a test.

A connection uses the best path that its server supports: 2.11 has batched Direct Get. With the
latest server alone, the other paths would not be tested. jetstow has no option for the path, so a
test patches a property of jetstow.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest


def _consumer(patch: pytest.MonkeyPatch) -> None:
    """Read chunks by consumers, as before 2.11."""
    patch.setattr("jetstow._core.bucket.stream.Stream.has_batched_get", False)


def _plain(patch: pytest.MonkeyPatch) -> None:
    """Use nats-py's own reader, as over websockets or on a connection that the user created."""

    async def attach_nothing(*_: object) -> None:
        return None

    patch.setattr("jetstow._core.transport.fast_path.FastPath.attach", attach_nothing)


# Tests that make no sense on a path have the marker `not_on_path`.
PATHS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "consumer": _consumer,
    "plain": _plain,
}

# 2.10 and 2.9 read by consumers.
_USED_BY_OLDER_SERVERS = {"consumer"}


def selected() -> tuple[str, ...]:
    """Return the paths in `JETSTOW_TEST_PATHS` (a comma list, or `all`), besides the best one.

    Without it, all paths if `JETSTOW_TEST_SERVERS` is `all`, and none if not.
    """
    text = os.environ.get("JETSTOW_TEST_PATHS", "").strip()
    all_servers = os.environ.get("JETSTOW_TEST_SERVERS", "").strip() == "all"
    if text == "all" or (not text and all_servers):
        return tuple(PATHS)
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if unknown := set(names) - set(PATHS):
        raise ValueError(f"JETSTOW_TEST_PATHS: unknown {sorted(unknown)}, known {tuple(PATHS)}")
    return names


def selected_for_several_versions() -> tuple[str, ...]:
    """Return the selected paths, without those that older servers use if none is named."""
    if os.environ.get("JETSTOW_TEST_PATHS", "").strip():
        return selected()
    return tuple(path for path in selected() if path not in _USED_BY_OLDER_SERVERS)
