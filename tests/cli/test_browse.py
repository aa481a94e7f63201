"""browse: buckets, folders and objects on a screen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

import jetstow
from jetstow.cli.browse.app import BrowseApp
from jetstow.cli.browse.preview import Preview
from jetstow.cli.connection import Settings
from jetstow.cli.parsers import Address
from jetstow.cli.screen.cells import fit, fit_end, wrap
from jetstow.cli.screen.dialogs import Confirm, Prompt
from jetstow.cli.screen.pane import TextPane
from jetstow.cli.session import Session
from jetstow.errors import ObjectNotFoundError
from tests.support.cli import Cli
from tests.support.screens import lines, until, until_shown
from tests.support.servers import NatsServer
from tests.support.terminal import LEAVE_SCREEN, Terminal

HOSTILE = ("\x1b[31mred\x07", "\u202egpj.exe", "\u200bzero", "new\nline", "x" * 900, "日本語" * 40)


@asynccontextmanager
async def running(
    server: NatsServer, start: str = "", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[BrowseApp, Pilot[None]]]:
    async with Session(Settings(server=server.url)) as session:
        client = await session.client(max_reconnect_attempts=-1, reconnect_time_wait=0.1)
        bucket, _, name = start.partition("/")
        app = BrowseApp(session, client, Address(bucket, name) if bucket else None)
        try:
            async with app.run_test(size=size) as pilot:
                yield app, pilot
        finally:
            await app.stop()


@pytest.fixture
async def store(latest: NatsServer, bucket: str) -> AsyncIterator[jetstow.ObjectStore]:
    async with jetstow.connect(latest.url) as nc:
        yield await nc.jetstream().create_object_store(bucket)


def labels(app: BrowseApp) -> list[str]:
    return [row.label for row in app.rows.rows]


def state(app: BrowseApp) -> str:
    return str(app.query_one("#state", Static).render())


async def answer(pilot: Pilot[None], text: str) -> None:
    """Enter a text in the prompt that opens."""
    await until(pilot, lambda: isinstance(pilot.app.screen, Prompt))
    await until(pilot, lambda: pilot.app.screen.query(Input))
    pilot.app.screen.query_one(Input).value = text
    await pilot.press("enter")


async def confirm(pilot: Pilot[None], key: str) -> str:
    """Press a key at the question that opens. Return the question."""
    await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
    screen = pilot.app.screen
    assert isinstance(screen, Confirm)
    await pilot.press(key)
    return f"{screen.question} {screen.detail}"


# -- text, without a server --------------------------------------------------------------


def test_cells_of_hostile_text() -> None:
    assert [fit(text, 8) for text in ("a\x1b[2Jb", "\u202eab", "日本語日本", "ab")] == [
        "a\\x1b[2…",
        "\\u202eab",
        "日本語 …",
        "ab      ",
    ]
    assert fit("12", 4, right=True) == "  12"
    assert fit_end("bucket/a/b/c", 6) == "…a/b/c"
    assert wrap(["a\tb", "x" * 10, ""], 8) == ["a   b", "x" * 8, "xx", ""]


@pytest.mark.parametrize(
    ("data", "size", "form", "first"),
    [
        (b'{"b": [1]}', 10, "json", "{"),
        (b'{"b": [1', 99, "text", '{"b": [1'),
        (b"[" * 5000, 5000, "text", "[" * 5000),
        ("grün"[:3].encode()[:-1], 99, "text", "gr\ufffd"),
        (b"\xff\xfe", 2, "hex", "000000  ff fe"),
        (b"a\0b", 3, "hex", "000000  61 00 62"),
        (b"", 0, "text", "(empty)"),
    ],
)
def test_form_of_a_preview(data: bytes, size: int, form: str, first: str) -> None:
    preview = Preview(data, size, "")
    assert preview.form == form
    assert preview.lines(preview.form)[0].startswith(first)


# -- folders -----------------------------------------------------------------------------


async def test_buckets_folders_and_objects(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    for name in ("a.txt", "2026/b.txt", "2026/deep/c.txt", "z//d.txt"):
        await store.put(name, name.encode())
    async with running(latest) as (app, pilot):
        await until(pilot, lambda: store.bucket in labels(app))
        assert "CREATED" in await until_shown(pilot, "NAME")  # it was "MODIFIED", which it is not
        while app.rows.selected is not None and app.rows.selected.name != store.bucket:
            await pilot.press("down")
        await pilot.press("enter")
        await until(pilot, lambda: labels(app) == ["2026/", "z/", "a.txt"])
        assert "2 folders, 1 object (5 B)" in await until_shown(pilot, f"{store.bucket}/")
        await until_shown(pilot, "MODIFIED")
        await pilot.press("enter")
        await until(pilot, lambda: labels(app) == ["deep/", "b.txt"])
        await pilot.press("left")
        await until(pilot, lambda: labels(app) == ["2026/", "z/", "a.txt"])
        assert app.rows.selected is not None
        assert app.rows.selected.name == "2026/"
        await pilot.press("down", "enter")
        await until(pilot, lambda: labels(app) == ["/"])
        await pilot.press("enter")
        await until(pilot, lambda: labels(app) == ["d.txt"])
        await pilot.press("left", "left", "left")
        await until(pilot, lambda: app.feed is None and store.bucket in labels(app))
        assert app.rows.selected is not None
        assert app.rows.selected.name == store.bucket


async def test_changes_of_other_clients(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    await store.put("a", b"1")
    await store.put("folder/x", b"1")
    async with running(latest, store.bucket) as (app, pilot):
        await until(pilot, lambda: labels(app) == ["folder/", "a"])
        await pilot.press("down")
        await store.put("b", b"22")
        await store.put("Z/y", b"1")
        await until(pilot, lambda: labels(app) == ["Z/", "folder/", "a", "b"])
        assert app.rows.selected is not None
        assert app.rows.selected.name == "a"  # the cursor stays on its row
        await store.delete("folder/x")
        await store.put("a", b"333")
        await until(pilot, lambda: labels(app) == ["Z/", "a", "b"])
        await until(pilot, lambda: app.rows.rows[1].size == 3)
        await until_shown(pilot, "333")  # the preview, too
        await store.delete("a")
        await until(pilot, lambda: labels(app) == ["Z/", "b"])


async def test_filter_and_sort(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    for name, size in (("Apple", 3), ("apricot", 20), ("banana", 1), ("folder/ap", 1)):
        await store.put(name, bytes(size))
    async with running(latest, f"{store.bucket}/") as (app, pilot):
        await until(pilot, lambda: len(labels(app)) == 4)
        await pilot.press("slash", *"AP")
        assert labels(app) == ["Apple", "apricot"]
        assert "2 of 4 names" in state(app)
        await pilot.press("enter", "s")
        assert labels(app) == ["apricot", "Apple"]
        await pilot.press("S")
        assert labels(app) == ["Apple", "apricot"]
        await pilot.press("escape")
        assert labels(app) == ["folder/", "banana", "Apple", "apricot"]


async def test_hostile_names(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    for name in HOSTILE:
        await store.put(name, f"{name}\x1b]0;title\x07".encode(), metadata={"k": name})
    for size in ((80, 24), (140, 40)):
        async with running(latest, store.bucket, size) as (app, pilot):
            await until(pilot, lambda: len(app.rows.rows) == len(HOSTILE))
            pane = app.query_one("#preview", TextPane)
            for _ in HOSTILE:
                await until_shown(pilot, "Preview: text")
                assert all(text.isprintable() for text in lines(app))
                pane.show("", [])
                await pilot.press("down")
            await pilot.press("p", "d")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert all(text.isprintable() for text in lines(app))
            await pilot.press("n")


async def test_100_000_names(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    """Only visible rows are formatted; the cursor reaches the last name, and the count is true."""
    from jetstow.cli.browse.rows import Folder, Row
    from jetstow.cli.screen.table import Table

    async with running(latest, store.bucket) as (app, pilot):
        await until(pilot, lambda: app.feed is not None and app.feed.is_complete)
        formatted = 0

        def label(row: Row) -> str:
            nonlocal formatted
            formatted += 1
            return row.label

        folder = Folder(store.bucket, "")
        names = (f"{number:06}" for number in range(100_000))
        folder._objects = {name: Row(name, name, size=1) for name in names}
        assert app.feed is not None
        app.feed.folder = folder
        app.rows.columns = [type(app.rows.columns[0])("NAME", label)]
        app._show_rows()
        await pilot.press("end")
        await until_shown(pilot, "099999")
        assert formatted < 500
        await pilot.press("slash", *"99998")
        assert labels(app) == ["099998"]
        assert "1 of 100,000 names" in state(app)
        assert isinstance(app.rows, Table)


# -- preview -----------------------------------------------------------------------------


async def test_preview_and_metadata(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    await store.put("a.json", json.dumps({"key": [1, 2]}), tags=["raw"])
    await store.put("b.bin", bytes(range(256)))
    async with running(latest, f"{store.bucket}/a.json") as (_, pilot):
        assert '"key": [' in await until_shown(pilot, "Preview: json")
        await pilot.press("v")
        assert "000000  7b 22" in await until_shown(pilot, "Preview: hex of 15 B")
        await pilot.press("p")
        assert "tags" in await until_shown(pilot, "application/json")
        await pilot.press("p", "p", "down")
        await until_shown(pilot, "Preview: hex of 256 B")
        await pilot.press("tab", "end")
        await until_shown(pilot, "0000f0  f0 f1")
    async with running(latest, f"{store.bucket}/a.json", (120, 40)) as (_, pilot):
        await until_shown(pilot, "Preview: json")
        await until_shown(pilot, "application/json")


# -- operations --------------------------------------------------------------------------


async def test_get_and_put(
    latest: NatsServer, store: jetstow.ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await store.put("folder/a", b"A")
    await store.put("folder/sub/b", b"B")
    Path("up/deep").mkdir(parents=True)
    Path("up/deep/c").write_bytes(b"C")
    Path("a").write_bytes(b"new")
    async with running(latest, store.bucket) as (app, pilot):
        await until(pilot, lambda: labels(app) == ["folder/"])
        await pilot.press("g")
        await until_shown(pilot, "./folder")  # the suggested path
        await pilot.press("enter")
        await until(pilot, lambda: "2 files (2 B) copied" in state(app))
        assert Path("folder/sub/b").read_bytes() == b"B"
        await pilot.press("enter")
        await until(pilot, lambda: labels(app) == ["sub/", "a"])
        await pilot.press("down", "g")
        await answer(pilot, "./a")
        await until_shown(pilot, "a exists: Enter replaces it")
        assert Path("a").read_bytes() == b"new"
        await pilot.press("enter")
        await until(pilot, lambda: "verified" in state(app))
        assert Path("a").read_bytes() == b"A"
        await pilot.press("u")
        await answer(pilot, "./up")
        await until(pilot, lambda: "1 object (1 B) copied" in state(app))
        assert (await store.get("folder/up/deep/c")).data == b"C"
        await until(pilot, lambda: "up/" in labels(app))
        await pilot.press("u")
        await answer(pilot, "nowhere")
        await until_shown(pilot, "nowhere does not exist")
        await pilot.press("escape")


async def test_delete_and_undo(latest: NatsServer, bucket: str) -> None:
    async with jetstow.connect(latest.url) as nc:
        store = await nc.jetstream().create_object_store(bucket, versioned=True)
        for name in ("a", "folder/b", "folder/c"):
            await store.put(name, name.encode())
        async with running(latest, bucket) as (app, pilot):
            await until(pilot, lambda: labels(app) == ["folder/", "a"])
            await pilot.press("d")
            assert "Delete 2 objects (16 B) in folder/" in await confirm(pilot, "n")
            await pilot.press("d")
            assert "z undoes it" in await confirm(pilot, "y")
            await until(pilot, lambda: labels(app) == ["a"])
            await pilot.press("z")
            await until(pilot, lambda: "restored 2 objects" in state(app))
            assert (await store.get("folder/c")).data == b"folder/c"
            await until(pilot, lambda: labels(app) == ["folder/", "a"])
            await pilot.press("z")
            await until(pilot, lambda: "nothing to undo" in state(app))


async def test_delete_without_versions(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    await store.put("a", b"A")
    async with running(latest, store.bucket) as (app, pilot):
        await until(pilot, lambda: labels(app) == ["a"])
        await pilot.press("d")
        assert "It cannot be undone." in await confirm(pilot, "y")
        await until(pilot, lambda: labels(app) == [])
        with pytest.raises(ObjectNotFoundError):
            await store.get_info("a")


async def test_rename(latest: NatsServer, store: jetstow.ObjectStore) -> None:
    for name in ("a", "b", "folder/c"):
        await store.put(name, name.encode())
    async with running(latest, f"{store.bucket}/a") as (app, pilot):
        await until(pilot, lambda: app.rows.selected is not None and app.rows.selected.name == "a")
        await pilot.press("r")
        await answer(pilot, "b")
        await until(pilot, lambda: "exists" in state(app))
        await pilot.press("r")
        await answer(pilot, "new")
        await until(pilot, lambda: labels(app) == ["folder/", "b", "new"])
        await pilot.press("home", "r")
        await answer(pilot, "other")
        await until(pilot, lambda: labels(app) == ["other/", "b", "new"])
        assert (await store.get("other/c")).data == b"folder/c"


# -- outages and the end -----------------------------------------------------------------


async def test_restart_of_the_server(bucket: str) -> None:
    with NatsServer() as server:
        async with jetstow.connect(server.url) as nc:
            store = await nc.jetstream().create_object_store(bucket)
            await store.put("a", b"A")
        async with running(server, bucket) as (app, pilot):
            await until(pilot, lambda: labels(app) == ["a"])
            server.stop()
            await until_shown(pilot, "connection lost, reconnecting")
            server.start()
            async with jetstow.connect(server.url) as nc:
                await (await nc.jetstream().object_store(bucket)).put("b", b"B")
            await until(pilot, lambda: labels(app) == ["a", "b"])
            await until(pilot, lambda: "connection lost" not in state(app))


async def test_deleted_bucket(latest: NatsServer, store: jetstow.ObjectStore, bucket: str) -> None:
    async with running(latest, bucket) as (app, pilot), jetstow.connect(latest.url) as nc:
        await until(pilot, lambda: app.feed is not None and app.feed.is_complete)
        await nc.jetstream().delete_object_store(bucket)
        await until(pilot, lambda: "bucket" in state(app) and bucket in state(app))
        await pilot.press("left")
        await until(pilot, lambda: app.feed is None and bucket not in labels(app))


async def test_bucket_that_does_not_exist(latest: NatsServer) -> None:
    async with running(latest, "nowhere/") as (app, pilot):
        await until(pilot, lambda: app.failure is not None)
    assert "nowhere" in str(app.failure)


@pytest.mark.parametrize("end", ["q", "\x03"])
def test_clean_end_in_a_terminal(cli: Cli, bucket: str, end: str) -> None:
    cli.run("put", "-", f"{bucket}/sea.txt", stdin=b"salt")
    with Terminal("browse", bucket, env={"NATS_URL": cli.server.url}) as terminal:
        terminal.wait_for("sea.txt")
        terminal.wait_for("salt")
        terminal.press(end)
        assert terminal.wait() == 0
        assert LEAVE_SCREEN in terminal.output
        assert terminal.current_modes() == terminal.modes
    assert cli.connections() == 0


def test_pipe_is_refused(cli: Cli, bucket: str) -> None:
    message = f"browse needs a terminal: use 'jetstow ls -l {bucket}'"
    assert cli.error(2, "browse", bucket) == message
