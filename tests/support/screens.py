"""What a full-screen command shows, with textual's Pilot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot


def lines(app: App[Any]) -> list[str]:
    """Return the lines on the screen."""
    strips = app.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Wait until a condition is true. The timeout of the test limits the wait."""
    while not condition():
        await pilot.pause(0.02)


async def until_shown(pilot: Pilot[Any], text: str) -> str:
    """Wait until the screen has a text. Return all that is shown."""
    await until(pilot, lambda: text in "\n".join(lines(pilot.app)))
    return "\n".join(lines(pilot.app))
