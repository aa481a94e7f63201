"""The examples of every page run: Python blocks run, and commands print what the page shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import jetstow
from tests.docs import pages
from tests.docs.prepared import PREPARED
from tests.docs.reader import Reader
from tests.support.servers import NatsServer

# Pages whose examples use the embedded server, or start their own servers.
WITHOUT_SERVER = {"start.md", "production.md", "guides/connecting.md", "guides/outages.md"}


@pytest.fixture(scope="module")
def own_server() -> Iterator[NatsServer]:
    """A server for the pages alone: their listings show all buckets."""
    with NatsServer() as server:
        yield server


@pytest.fixture
def reader(
    own_server: NatsServer, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Reader]:
    for name in ("NATS_URL", "NATS_CONTEXT", "JETSTOW_NATS_SERVER"):
        monkeypatch.setenv(name, "")  # so that it is restored if a page exports it
        monkeypatch.delenv(name)
    if page not in WITHOUT_SERVER:
        monkeypatch.setenv("NATS_URL", own_server.url)
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / ".config"))
    monkeypatch.setenv("PYTHONWARNINGS", "error")
    monkeypatch.setenv("COLUMNS", "100")
    folder = tmp_path / "folder"
    folder.mkdir()
    if page in PREPARED:
        PREPARED[page](folder)
    monkeypatch.chdir(folder)
    logger, root = logging.getLogger("jetstow"), logging.getLogger()
    levels = logger.level, root.level
    with Reader(folder) as reader:
        yield reader
    logger.setLevel(levels[0])
    root.setLevel(levels[1])
    asyncio.run(_delete_buckets(own_server.url))


async def _delete_buckets(url: str) -> None:
    async with jetstow.connect(url) as nc:
        js = nc.jetstream()
        for bucket in await js.object_store_names():
            await js.delete_object_store(bucket)


def _runnable() -> list[str]:
    return [page for page in pages.names() if any(block.is_run for block in pages.blocks(page))]


@pytest.mark.slow
@pytest.mark.timeout(180)  # some pages start several servers and many processes
@pytest.mark.parametrize("page", _runnable())
def test_examples_of_a_page_run(page: str, reader: Reader) -> None:
    reader.read(pages.blocks(page))


def test_runnable_pages_are_found() -> None:
    assert {"start.md", "guides/watching.md", "coming-from/nats-py.md"} <= set(_runnable())
