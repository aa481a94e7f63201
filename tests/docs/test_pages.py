"""Every page can be typed as it stands: its Python runs, its commands print what it shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import jetstow
from tests.docs import pages
from tests.docs.reader import Reader
from tests.support.servers import NatsServer

RUNNABLE = {"python", "console"}
# Its programs begin without a server, and have the embedded one.
WITHOUT_A_SERVER = {"start.md"}


@pytest.fixture(scope="module")
def own() -> Iterator[NatsServer]:
    """A server whose buckets are those of the page alone: listings are compared."""
    with NatsServer() as server:
        yield server


@pytest.fixture
def reader(
    own: NatsServer, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    for name in ("NATS_URL", "NATS_CONTEXT", "JETSTOW_NATS_SERVER"):
        monkeypatch.delenv(name, raising=False)
    if page not in WITHOUT_A_SERVER:
        monkeypatch.setenv("NATS_URL", own.url)
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("COLUMNS", "100")
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    ours, root = logging.getLogger("jetstow"), logging.getLogger()
    levels = ours.level, root.level
    with Reader(folder) as reading:
        yield reading
    ours.setLevel(levels[0])
    root.setLevel(levels[1])
    asyncio.run(_drop_all(own.url))


async def _drop_all(url: str) -> None:
    async with await jetstow.connect(url) as nc:
        js = nc.jetstream()
        for bucket in await js.object_store_names():
            await js.delete_object_store(bucket)


def _runnable() -> list[str]:
    return [
        page
        for page in pages.names()
        if any(block.language in RUNNABLE for block in pages.blocks(page))
    ]


@pytest.mark.parametrize("page", _runnable())
def test_a_page_can_be_typed_as_it_stands(page: str, reader: Reader) -> None:
    reader.read(pages.blocks(page))


def test_there_are_pages_to_run() -> None:
    assert {"start.md", "guides/watching.md", "coming-from/nats-py.md"} <= set(_runnable())
