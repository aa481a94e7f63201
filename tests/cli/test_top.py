"""top: samples as text, as JSON and on a screen."""

from __future__ import annotations

import datetime
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

import jetstow
from jetstow.cli import errors
from jetstow.cli.connection import Settings
from jetstow.cli.screen.table import Table
from jetstow.cli.session import Session
from jetstow.cli.top.app import TopApp
from jetstow.cli.top.gateway import parse
from jetstow.cli.top.sample import BucketState, Sample, load, select
from jetstow.cli.top.server import Sampler
from tests.support.cli import Cli
from tests.support.screens import lines, until, until_shown
from tests.support.servers import NatsServer
from tests.support.terminal import ENTER_SCREEN, LEAVE_SCREEN, Terminal

QUICK = ("--interval", "100ms")


# -- rates, without a server -------------------------------------------------------------


def sample(clock: float, *buckets: tuple[str, int, int]) -> Sample:
    states = {
        name: BucketState(name, size, None, messages, None, 1, "file", sealed=False)
        for name, size, messages in buckets
    }
    now = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    return Sample(now, clock, "s", "2", states, None, None, None, None)


def test_rates_between_two_samples() -> None:
    before = sample(10, ("a", 1000, 5), ("b", 1000, 5), ("again", 10, 90))
    after = sample(12, ("a", 3000, 25), ("b", 800, 6), ("again", 10, 1), ("new", 9, 1))
    found = {each.state.bucket: each for each in load(before, after).buckets}
    rates = {name: (each.writes, each.growth) for name, each in found.items()}
    # A bucket that was created again has fewer messages than before: no rate is known.
    assert rates == {"a": (10, 1000), "b": (0.5, -100), "again": (None, None), "new": (None, None)}
    assert load(None, after).seconds is None


def test_selection_by_key_and_filter() -> None:
    loads = load(None, sample(1, ("ab", 3, 1), ("B", 2, 1), ("c", 9, 1))).buckets

    def names(*arguments: Any, **options: Any) -> list[str]:
        return [each.state.bucket for each in select(loads, *arguments, **options)]

    assert names("bucket") == ["B", "ab", "c"]
    assert names("size") == ["c", "ab", "B"]
    assert names("size", reverse=True) == ["B", "ab", "c"]
    assert names("bucket", "b") == ["B", "ab"]


def test_metrics_of_another_program_are_refused() -> None:
    with pytest.raises(ValueError, match="serve --admin"):
        parse("# TYPE x counter\nx_total 1\n")


# -- in a pipe ---------------------------------------------------------------------------


def test_once_as_text_and_json(cli: Cli, bucket: str) -> None:
    cli.run("mb", "other")
    for name in ("a", "b", "gone"):
        cli.run("put", "-", f"{bucket}/{name}", stdin=b"data")
    cli.run("rm", f"{bucket}/gone")
    text = cli.out("top", "--once", *QUICK)
    assert re.search(rf"^{bucket} +\S+ \S+ +2 +0 +0 B$", text, re.MULTILINE), text
    assert "nats-server 2." in text
    assert "JetStream  storage" in text
    (line,) = cli.out("top", "--once", "--json", "--sort", "size", *QUICK).splitlines()
    data = json.loads(line)
    first = data["buckets"][0]
    assert (first["bucket"], first["objects"], first["growth_per_second"]) == (bucket, 2, 0)
    assert first["writes_per_second"] == 0
    assert data["traffic"]["connections"] >= 1
    assert data["traffic"]["written_per_second"] > 0
    assert "jetstow" in {client["name"] for client in data["clients"]}
    assert data["gateway"] is None
    filtered = json.loads(cli.out("top", "--once", "--json", "--filter", "OTHE", *QUICK))
    assert [each["bucket"] for each in filtered["buckets"]] == ["other"]


def test_pipe_gets_a_block_per_interval(cli: Cli, bucket: str) -> None:
    with cli.start("top", *QUICK) as process:
        heads = 0
        while heads < 3:
            heads += process.stdout.readline().startswith(b"BUCKET")
        process.signal(signal.SIGINT)
        assert process.wait() == (errors.INTERRUPTED, "")


def test_operations_of_a_gateway(cli: Cli, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETSTOW_HOME", ".")
    arguments = ("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json")
    with cli.start(*arguments) as process:
        started = json.loads(process.stdout.readline())
        admin = started["admin"].removeprefix("http://")
        data = json.loads(cli.out("top", "--once", "--json", "--admin", admin, *QUICK))
        assert data["gateway"]["requests_in_progress"] == 0
        assert data["gateway"]["operations"] == []
        assert cli.error(2, "top", "--once", "--admin", "ftp://x") == (
            "--admin 'ftp://x' is not a URL such as http://127.0.0.1:9001"
        )
        # The gateway's S3 address has no metrics: the sample says so.
        assert "gateway    --admin" in cli.out("top", "--once", "--admin", started["url"], *QUICK)
        process.signal(signal.SIGTERM)
        process.wait()
    stopped = cli.out("top", "--once", "--admin", admin, *QUICK)
    assert f"--admin http://{admin}: Connection refused" in stopped, "[Errno 111] was in it"


@pytest.mark.parametrize("command", ["top", "browse"])
def test_screen_without_its_package(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("textual")]:
        monkeypatch.setitem(sys.modules, name, None)
    for name in [
        name for name in sys.modules if re.match(r"jetstow\.cli\.(screen|top|browse)", name)
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(f"jetstow.cli.commands.{command}.stdio_is_terminal", lambda: True)
    error = cli.error(2, command)
    assert "needs more packages: pip install 'jetstow[console]' (" in error


def test_interval_that_is_too_short(cli: Cli) -> None:
    assert cli.error(2, "top", "--interval", "1ms") == "--interval must be at least 0.1 seconds"


# -- on a screen -------------------------------------------------------------------------


@asynccontextmanager
async def running(
    server: NatsServer, size: tuple[int, int] = (80, 24), filter_text: str = ""
) -> AsyncIterator[tuple[TopApp, Pilot[None]]]:
    async with Session(Settings(server=server.url)) as session:
        client = await session.client(max_reconnect_attempts=-1, reconnect_time_wait=0.1)
        sampler = Sampler(session, None)
        app = TopApp(
            client, sampler, interval=0.1, sort="bucket", filter_text=filter_text, has_gateway=False
        )
        try:
            async with app.run_test(size=size) as pilot:
                yield app, pilot
        finally:
            await sampler.close()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12)])
async def test_screen_shows_buckets_and_clients(
    latest: NatsServer, bucket: str, size: tuple[int, int]
) -> None:
    async with jetstow.connect(latest.url) as nc:
        store = await nc.jetstream().create_object_store(bucket)
        await store.put("a", b"data")
        await store.put("b", b"data")
        async with running(latest, size, bucket) as (app, pilot):
            table = app.query_one("#buckets", Table)
            await until(pilot, lambda: len(table.rows) == 1)
            await until_shown(pilot, bucket[:10])

            def objects() -> int | None:
                return next(r.state.objects for r in table.rows if r.state.bucket == bucket)

            await until(pilot, lambda: objects() == 2)
            await store.put("c", b"data")
            await until(pilot, lambda: objects() == 3)
            assert all(len(line) == size[0] for line in lines(app))
            assert ("CLIENT" in "\n".join(lines(app))) is (size[1] > 12)


async def test_keys_sort_filter_and_change_the_interval(latest: NatsServer) -> None:
    async with jetstow.connect(latest.url) as nc:
        for name, size in (("small", 1), ("large", 50_000)):
            await (await nc.jetstream().create_object_store(name)).put("a", bytes(size))
        async with running(latest) as (app, pilot):
            await until_shown(pilot, "large")
            table = app.query_one("#buckets", Table)
            await pilot.press("s")
            assert table.rows[0].state.size == max(row.state.size for row in table.rows)
            assert "by size" in await until_shown(pilot, "SIZE▾")
            await pilot.press("r")
            assert table.rows[0].state.size == min(row.state.size for row in table.rows)
            await pilot.press("slash", *"SMAL")
            assert [row.state.bucket for row in table.rows] == ["small"]
            await pilot.press("enter", "plus")
            assert "filter 'SMAL'" in await until_shown(pilot, "every 1s")
            await pilot.press("escape")
            assert len(table.rows) > 1
            await pilot.press("question_mark")
            await until_shown(pilot, "sort by the next")
            await pilot.press("escape", "q")
        assert app.failure is None


async def test_screen_during_a_restart() -> None:
    with NatsServer() as server:
        async with running(server) as (app, pilot):
            await until_shown(pilot, "no buckets")
            server.stop()
            await until_shown(pilot, "connection lost, reconnecting")
            server.start()
            async with jetstow.connect(server.url) as nc:
                await nc.jetstream().create_object_store("after")
            screen = await until_shown(pilot, "after")
            assert "connection lost" not in screen
            assert app.query_one("#state", Static).has_class("problem") is False


@pytest.mark.parametrize("end", ["q", "\x03", "SIGTERM"])
def test_clean_end_in_a_terminal(cli: Cli, bucket: str, end: str) -> None:
    with Terminal("top", *QUICK, "--filter", bucket, env={"NATS_URL": cli.server.url}) as terminal:
        terminal.wait_for(bucket)
        assert ENTER_SCREEN in terminal.output
        if end == "SIGTERM":
            terminal.process.terminate()
        else:
            terminal.press(end)
        assert terminal.wait() == (143 if end == "SIGTERM" else 0)
        assert LEAVE_SCREEN in terminal.output
        assert b"\x1b[?25h" in terminal.output  # the cursor is visible again
        assert terminal.current_modes() == terminal.modes
    assert cli.connections() == 0


def test_terminal_without_colours(cli: Cli, bucket: str) -> None:
    """NO_COLOR leaves out colours, and with colours only those of the terminal are used."""
    environment = {"NATS_URL": cli.server.url}
    for extra, has_colours in (({"NO_COLOR": "1"}, False), ({"COLORTERM": "truecolor"}, True)):
        with Terminal("top", *QUICK, "--filter", bucket, env=environment | extra) as terminal:
            terminal.wait_for(bucket)
            terminal.press("q")
            assert terminal.wait() == 0
        colours = re.findall(
            rb"\x1b\[[0-9;]*?(3[0-7]|4[0-7]|9[0-7]|38;|48;)[0-9;]*m", terminal.output
        )
        assert b"38;2" not in terminal.output, "a fixed colour may be invisible on this terminal"
        assert has_colours or not colours
