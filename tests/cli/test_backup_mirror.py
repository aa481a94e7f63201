"""backup, restore, mirror: files, pipes, other servers, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import jetstow
from jetstow.cli import errors
from tests.support import raw_stream
from tests.support.cli import Cli
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(300_000)


@pytest.fixture
def full(cli: Cli, bucket: str) -> str:
    """A bucket with two objects and a link."""

    async def fill() -> None:
        async with await jetstow.connect(cli.server.url) as nc:
            store = await nc.jetstream().object_store(bucket)
            await store.put("folder/a", DATA, jetstow.ObjectMeta(metadata={"k": "v"}))
            await store.put("b", b"b")
            await store.add_link("link", "b")

    asyncio.run(fill())
    return bucket


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[NatsServer]:
    with NatsServer() as server:
        yield server


# -- backup and restore ------------------------------------------------------------------


def test_through_a_file(cli: Cli, full: str) -> None:
    said = cli.out("backup", full, "b.tar.gz")
    assert said == f"b.tar.gz: 2 objects (293 KiB) and 1 link from bucket {full!r}, verified\n"
    assert cli.out("restore", "b.tar.gz", f"{full}-2") == (
        f"bucket '{full}-2': 2 objects (293 KiB) and 1 link restored\n"
    )
    assert cli.run("cat", f"{full}-2/folder/a").stdout_bytes == DATA
    assert cli.json("info", f"{full}-2/folder/a")["metadata"] == {"k": "v"}
    assert cli.out("cat", f"{full}-2/link") == "b"
    cli.run("rb", full, "--yes")
    assert cli.json("restore", "b.tar.gz") == {
        "bucket": full, "objects": 2, "links": 1, "unchanged": 0, "size": 300_001, "omitted": 0,
        "sealed": False, "failed": [],
    }  # fmt: skip
    assert cli.out("restore", "b.tar.gz").endswith("0 objects (0 B) restored, 3 there already\n")


def test_through_pipes(cli: Cli, full: str) -> None:
    archive = cli.run("backup", full, "-").stdout_bytes
    listed = subprocess.run(["tar", "-t"], input=archive, capture_output=True, check=True)
    assert b"objects/folder/a\n" in listed.stdout
    assert "2 objects" in cli.out("restore", "-", f"{full}-2", stdin=archive)
    assert cli.run("cat", f"{full}-2/folder/a").stdout_bytes == DATA


def test_a_terminal_gets_no_archive(cli: Cli, full: str) -> None:
    ours, theirs = pty.openpty()
    with cli.start("backup", full, "-", stdout=theirs) as process:
        os.close(theirs)
        code, said = process.ended()
    os.close(ours)
    assert code == errors.USAGE
    assert "nothing for a terminal" in said


def test_through_named_pipes(cli: Cli, full: str) -> None:
    os.mkfifo("pipe")
    with cli.start("backup", full, "pipe") as writing, cli.start("restore", "pipe", "x") as reading:
        assert reading.ended() == (0, "")
        assert writing.ended() == (0, "")
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert cli.out("cat", "x/b") == "b"
    cli.run("rb", "x", "--yes")


def test_the_backup_as_data(cli: Cli, full: str) -> None:
    assert cli.json("backup", full, "b.tar") == {
        "bucket": full, "path": "b.tar", "objects": 2, "links": 1, "size": 300_001, "failed": [],
    }  # fmt: skip
    assert "JSON" in cli.error(errors.USAGE, "backup", full, "-", "--json")


def test_the_file_behind_a_link_is_replaced(cli: Cli, full: str) -> None:
    Path("b.tar").symlink_to("behind")
    Path("behind").write_text("the one before")
    cli.run("backup", full, "b.tar")
    assert Path("b.tar").is_symlink()
    assert tarfile.is_tarfile("behind")


def test_a_damaged_object_is_told_and_the_rest_is_there(cli: Cli, full: str) -> None:
    nuid = cli.json("info", f"{full}/folder/a")["nuid"]
    purge = {"filter": raw_stream.chunk_subject(full, nuid)}
    cli.peek(lambda nc: raw_stream.request(nc, f"STREAM.PURGE.OBJ_{full}", purge))
    result = cli.run("backup", full, "b.tar", "--json", code=errors.DAMAGED)
    assert "'folder/a'" in result.stderr
    told = json.loads(result.stdout)
    assert (told["objects"], told["failed"][0]["name"]) == (1, "folder/a")
    assert "1 object could not be read" in cli.out("restore", "b.tar", f"{full}-2")
    assert cli.out("ls", f"{full}-2") == f"b\nlink -> {full}-2/b\n"


def test_what_is_there_otherwise_is_kept(cli: Cli, full: str) -> None:
    cli.run("backup", full, "b.tar")
    cli.run("put", "-", f"{full}/b", stdin=b"theirs")
    error = cli.run("restore", "b.tar", code=errors.CONFLICT).stderr
    assert error == (
        f"jetstow: object 'b' in bucket {full!r} is another one than in the archive: it is kept\n"
    )
    assert cli.out("cat", f"{full}/b") == "theirs"
    assert "1 object (1 B) restored" in cli.out("restore", "b.tar", "--overwrite")
    assert cli.out("cat", f"{full}/b") == "b"


def test_archives_that_are_none(cli: Cli, full: str) -> None:
    cli.run("backup", full, "b.tar")
    Path("half.tar").write_bytes(Path("b.tar").read_bytes()[:100_000])
    Path("text").write_text("text")
    for file, said in (("half.tar", "truncated"), ("text", "truncated")):
        assert said in cli.error(errors.DAMAGED, "restore", file, f"{full}-2")
    assert "folder/a" not in cli.out("ls", f"{full}-2")
    assert "no file 'missing'" in cli.error(errors.NOT_FOUND, "restore", "missing")
    assert "Is a directory" in cli.error(errors.ERROR, "restore", ".")


def test_backups_that_cannot_be(cli: Cli, full: str) -> None:
    assert "no folder 'no'" in cli.error(errors.NOT_FOUND, "backup", full, "no/b.tar")
    assert "no bucket" in cli.error(errors.NOT_FOUND, "backup", f"{full}-2", "b.tar")
    assert ".zip" in cli.error(errors.USAGE, "backup", full, "b.zip")
    assert list(Path().iterdir()) == []


# -- mirror ------------------------------------------------------------------------------


def test_a_bucket_beside_it(cli: Cli, full: str) -> None:
    cli.run("mb", f"{full}-3", "--description", "what for", "--ttl", "1h")
    assert "would be" in cli.out("mirror", full, f"{full}-2", "--dry-run")
    assert f"{full}-2\n" not in cli.out("ls")
    said = cli.out("mirror", full, f"{full}-2")
    assert said == (f"bucket '{full}-2': 3 copied (293 KiB), 0 updated, 0 left alone, 0 removed\n")
    cli.run("mirror", f"{full}-3", f"{full}-4")
    made = cli.json("status", f"{full}-4")
    assert (made["description"], made["ttl"]) == ("what for", 3600)


def test_what_would_be_done(cli: Cli, full: str) -> None:
    cli.run("mirror", full, f"{full}-2")
    cli.run("put", "-", f"{full}/b", stdin=b"new")
    cli.run("put", "-", f"{full}-2/c\n", stdin=b"theirs")
    assert cli.out("mirror", full, f"{full}-2", "--delete", "-n") == (
        "copy b\nremove c\\n\n"
        f"bucket '{full}-2': would be 1 copied (3 B), 0 updated, 2 left alone, 1 removed\n"
    )
    assert cli.out("cat", f"{full}-2/b") == "b"
    assert cli.json("mirror", full, f"{full}-2", "--delete") == {
        "source": full, "target": f"{full}-2", "dry_run": False, "copied": ["b"], "updated": [],
        "unchanged": 2, "removed": ["c\n"], "size": 3, "failed": [],
    }  # fmt: skip
    assert cli.out("cat", f"{full}-2/b") == "new"


def test_another_server(
    cli: Cli, full: str, elsewhere: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "2 objects" in cli.out("backup", full, "b.tar")
    assert "3 copied" in cli.out("mirror", full, full, "--to", elsewhere.url)
    assert Cli(elsewhere).run("cat", f"{full}/folder/a").stdout_bytes == DATA
    folder = Path("config/nats/context")
    folder.mkdir(parents=True)
    (folder / "away.json").write_text(json.dumps({"url": elsewhere.url}))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("config").absolute()))
    assert "0 copied" in cli.out("mirror", full, full, "--to", "away", "--timeout", "3s")
    assert "context 'nowhere'" in cli.error(errors.ERROR, "mirror", full, full, "--to", "nowhere")
    gone = "nats://127.0.0.1:1"
    assert "127.0.0.1:1" in cli.error(errors.UNREACHABLE, "mirror", full, full, "--to", gone)


def test_another_server_that_wants_credentials(
    cli: Cli, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in its context: the command died of them, whatever they were."""
    with NatsServer(config='authorization { user: "me", password: "secret" }') as guarded:
        folder = Path("config/nats/context")
        folder.mkdir(parents=True)
        told = {"url": guarded.url, "user": "me", "password": "secret"}
        (folder / "away.json").write_text(json.dumps(told))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("config").absolute()))
        assert "3 copied" in cli.out("mirror", full, full, "--to", "away")
        assert "0 copied" in cli.out("mirror", full, full, "--to", "away")


def test_mirrors_that_cannot_be(cli: Cli, full: str) -> None:
    assert "--to" in cli.error(errors.USAGE, "mirror", full, full)
    assert "no bucket" in cli.error(errors.NOT_FOUND, "mirror", f"{full}-2", "x")
    assert "address" in cli.error(errors.USAGE, "mirror", full, "x/y")
    cli.run("mirror", full, f"{full}-2")
    cli.run("seal", f"{full}-2", "--yes")
    assert "0 copied" in cli.out("mirror", full, f"{full}-2")
    cli.run("put", "-", f"{full}/b", stdin=b"new")
    assert "sealed" in cli.error(errors.CONFLICT, "mirror", full, f"{full}-2")


def test_a_damaged_object_keeps_no_other_from_being_copied(cli: Cli, full: str) -> None:
    nuid = cli.json("info", f"{full}/folder/a")["nuid"]
    purge = {"filter": raw_stream.chunk_subject(full, nuid)}
    cli.peek(lambda nc: raw_stream.request(nc, f"STREAM.PURGE.OBJ_{full}", purge))
    result = cli.run("mirror", full, f"{full}-2", code=errors.DAMAGED)
    assert "'folder/a'" in result.stderr
    assert "2 copied" in result.stdout


# -- help --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["backup", "restore", "mirror"])
def test_help_fits_a_terminal(cli: Cli, command: str) -> None:
    shown = cli.out(command, "--help")
    assert max(map(len, shown.splitlines())) <= 80
    assert f"\n  {command} " in cli.out("--help")
