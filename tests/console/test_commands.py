"""The console of `jetstow serve`, and `jetstow console`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from jetstow.s3 import Key
from tests.support.cli import Cli, Process
from tests.support.console import ConsoleClient
from tests.support.served import Served
from tests.support.servers import NatsServer


@pytest.mark.slow
def test_console_of_workers(server: NatsServer, tmp_path: Path) -> None:
    """The workers share nothing: each takes the sessions of all, and the previews of all."""
    with (
        Served(server.url, "--workers", "2", home=tmp_path) as served,
        ConsoleClient(served.url) as client,
    ):
        assert served.console == f"{served.url}/_console/"
        client.sign_in(served.key)
        assert client.session["admin"] is True
        for _ in range(8):  # each on a connection of its own
            response = httpx.get(f"{served.url}/_console/api/session", cookies=dict(client.cookies))
            assert response.json() == client.session
            preview = httpx.get(f"{client.session['preview']}/token/a.txt")
            assert preview.status_code == 403


@pytest.mark.slow
def test_console_is_turned_off(server: NatsServer, tmp_path: Path) -> None:
    with Served(server.url, "--no-console", home=tmp_path) as served:
        assert served.console is None
        assert httpx.get(f"{served.url}/_console/").status_code == 404  # as a bucket


def test_wrong_options(server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path))
    for arguments, message in (
        (["serve", "--no-console", "--preview", "127.0.0.1:0"], "--preview needs the console"),
        (["serve", "--preview", "9001"], "--preview 9001 must be HOST:PORT"),
        (["console", "--listen", "0.0.0.0:9000"], "is not on loopback"),
    ):
        listen = [] if "--listen" in arguments else ["--listen", "127.0.0.1:0"]
        assert message in Cli(server).error(2, *arguments, *listen)


def test_address_of_another_program(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path))
    listen = server.url.rpartition("/")[2]
    error = Cli(server).error(1, "console", "--listen", listen)
    assert error == f"--listen {listen}: a program without the console uses this address"


def test_previews_and_access_log(server: NatsServer, tmp_path: Path) -> None:
    arguments = ("--preview", "127.0.0.1:0", "--access-log", "json")
    with Served(server.url, *arguments, home=tmp_path) as served:
        with ConsoleClient(served.url) as client:
            client.sign_in(served.key)
            assert httpx.get(client.session["preview"]).status_code == 403
            # The browser has another name for the host.
            host = {"host": f"localhost:{served.port}"}
            session = client.get("session", headers=host).json()
            assert client.s3("GET", "").status_code == 200
            client.cookies.clear()
            assert client.s3("GET", "").status_code == 401
        port = client.session["preview"].rpartition(":")[2]
        assert session["preview"] == f"http://localhost:{port}"
        served.signal(signal.SIGTERM)
        assert served.wait() == 0
    entries = [json.loads(line) for line in served.log]
    logged = [(e["operation"], e["access_key"], e["status"], e["error"]) for e in entries]
    assert logged == [
        ("Console", "-", 200, "-"),
        ("Console", served.key.access_key, 200, "-"),
        ("ListBuckets", served.key.access_key, 200, "-"),
        ("Console", "-", 401, "SignInRequired"),
    ]


def test_stop_ends_the_feed(server: NatsServer, tmp_path: Path, bucket: str) -> None:
    """The feed has no end of its own: the gateway waited for it before it stopped."""
    with Served(server.url, home=tmp_path) as served, ConsoleClient(served.url) as client:
        client.sign_in(served.key)
        assert client.s3("PUT", bucket).status_code == 200
        with client.stream("GET", f"buckets/{bucket}/changes") as feed:
            lines = feed.iter_lines()
            assert "event: open" in lines
            served.signal(signal.SIGTERM)
            list(lines)
        assert served.wait() == 0
        assert served.log == []


def test_console_runs_a_gateway_and_opens_it(server: NatsServer, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{tmp_path}/opened\n')
    browser.chmod(0o755)
    environment = {
        "NATS_URL": server.url, "JETSTOW_HOME": str(tmp_path / "home"), "BROWSER": str(browser),
    }  # fmt: skip
    with Process("console", "--json", "--listen", "127.0.0.1:0", env=environment) as process:
        started: dict[str, Any] = json.loads(process.stdout.readline())
        assert (tmp_path / "opened").read_text() == f"{started['url']}\n"
        url = started["url"].removesuffix("/_console/")
        with ConsoleClient(url) as client:
            client.sign_in(Key(started["access_key"], started["secret_key"]))
        # A second one finds the first.
        listen = url.removeprefix("http://")
        with Process("console", "--no-browser", "--listen", listen, env=environment) as second:
            code, out, err = second.communicate()
        assert (code, err) == (0, "")
        assert out.decode().splitlines() == [
            f"the console runs at {started['url']}",
            f"access key  {started['access_key']}",
            f"secret key  {started['secret_key']}",
        ]
        process.signal(signal.SIGINT)
        assert process.communicate()[0] == 0
    assert (tmp_path / "opened").read_text() == f"{started['url']}\n"


def test_console_of_a_gateway_with_other_keys(server: NatsServer, tmp_path: Path) -> None:
    """It printed the key of the default file, which that gateway does not know."""
    home = tmp_path / "home"
    with Served(server.url, home=home):
        pass  # makes the default file
    keys = tmp_path / "keys.toml"
    keys.write_text('[[key]]\naccess_key = "ADA"\nsecret_key = "change-me"\n')
    with Served(server.url, "--keys", str(keys), home=home) as served:
        arguments = ("console", "--no-browser", "--listen", f"{served.host}:{served.port}")
        with Process(*arguments, env={"JETSTOW_HOME": str(home)}) as process:
            code, out, err = process.communicate()
    assert (code, err) == (0, "")
    assert out.decode().splitlines() == [
        f"the console runs at {served.console}",
        "sign in with a key that the gateway was started with (--keys)",
    ]
