"""backup, restore and mirror: files, pipes, other servers, errors."""

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


def test_backup_and_restore_a_file(cli: Cli, full: str) -> None:
    line = cli.out("backup", full, "b.tar.gz")
    assert line == f"b.tar.gz: 2 objects (293 KiB) and 1 link from bucket {full!r}, verified\n"
    assert cli.out("restore", "b.tar.gz", f"{full}-2") == (
        f"bucket '{full}-2': restored 2 objects (293 KiB) and 1 link\n"
    )
    assert cli.run("cat", f"{full}-2/folder/a").stdout_bytes == DATA
    assert cli.json("info", f"{full}-2/folder/a")["metadata"] == {"k": "v"}
    assert cli.out("cat", f"{full}-2/link") == "b"
    cli.run("rb", full, "--yes")
    assert cli.json("restore", "b.tar.gz") == {
        "bucket": full, "objects": 2, "links": 1, "unchanged": 0, "size": 300_001, "omitted": 0,
        "sealed": False, "failed": [],
    }  # fmt: skip
    assert cli.out("restore", "b.tar.gz").endswith(": restored 0 objects (0 B), 3 unchanged\n")


def test_backup_and_restore_through_pipes(cli: Cli, full: str) -> None:
    archive = cli.run("backup", full, "-").stdout_bytes
    listed = subprocess.run(["tar", "-t"], input=archive, capture_output=True, check=True)
    assert b"objects/folder/a\n" in listed.stdout
    assert "2 objects" in cli.out("restore", "-", f"{full}-2", stdin=archive)
    assert cli.run("cat", f"{full}-2/folder/a").stdout_bytes == DATA


def test_backup_to_a_terminal(cli: Cli, full: str) -> None:
    controller, terminal = pty.openpty()
    with cli.start("backup", full, "-", stdout=terminal) as process:
        os.close(terminal)
        code, stderr = process.wait()
    os.close(controller)
    assert code == errors.USAGE
    assert "standard output is a terminal" in stderr


def test_backup_and_restore_through_a_named_pipe(cli: Cli, full: str) -> None:
    os.mkfifo("pipe")
    with cli.start("backup", full, "pipe") as writing, cli.start("restore", "pipe", "x") as reading:
        assert reading.wait() == (0, "")
        assert writing.wait() == (0, "")
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert cli.out("cat", "x/b") == "b"
    cli.run("rb", "x", "--yes")


def test_backup_json(cli: Cli, full: str) -> None:
    assert cli.json("backup", full, "b.tar") == {
        "bucket": full, "path": "b.tar", "objects": 2, "links": 1, "size": 300_001, "failed": [],
    }  # fmt: skip
    assert "JSON" in cli.error(errors.USAGE, "backup", full, "-", "--json")


def test_backup_follows_a_symbolic_link(cli: Cli, full: str) -> None:
    Path("b.tar").symlink_to("behind")
    Path("behind").write_text("the one before")
    cli.run("backup", full, "b.tar")
    assert Path("b.tar").is_symlink()
    assert tarfile.is_tarfile("behind")


def test_backup_of_a_damaged_object(cli: Cli, full: str) -> None:
    nuid = cli.json("info", f"{full}/folder/a")["nuid"]
    purge = {"filter": raw_stream.chunk_subject(full, nuid)}
    cli.inspect(lambda nc: raw_stream.request(nc, f"STREAM.PURGE.OBJ_{full}", purge))
    result = cli.run("backup", full, "b.tar", "--json", code=errors.DAMAGED)
    assert "'folder/a'" in result.stderr
    data = json.loads(result.stdout)
    assert (data["objects"], data["failed"][0]["name"]) == (1, "folder/a")
    assert "left out 1 damaged object" in cli.out("restore", "b.tar", f"{full}-2")
    assert cli.out("ls", f"{full}-2") == f"b\nlink -> {full}-2/b\n"


def test_restore_keeps_a_different_object(cli: Cli, full: str) -> None:
    cli.run("backup", full, "b.tar")
    cli.run("put", "-", f"{full}/b", stdin=b"theirs")
    error = cli.run("restore", "b.tar", code=errors.CONFLICT).stderr
    assert error == (
        f"jetstow: object 'b' in bucket {full!r} differs from the archive: it is kept\n"
    )
    assert cli.out("cat", f"{full}/b") == "theirs"
    assert "restored 1 object (1 B)" in cli.out("restore", "b.tar", "--overwrite")
    assert cli.out("cat", f"{full}/b") == "b"


def test_restore_of_invalid_archives(cli: Cli, full: str) -> None:
    cli.run("backup", full, "b.tar")
    Path("half.tar").write_bytes(Path("b.tar").read_bytes()[:100_000])
    Path("text").write_text("text")
    for file in ("half.tar", "text"):
        assert "truncated" in cli.error(errors.DAMAGED, "restore", file, f"{full}-2")
    assert "folder/a" not in cli.out("ls", f"{full}-2")
    assert "'missing': No such file or directory" in cli.error(
        errors.NOT_FOUND, "restore", "missing"
    )
    assert "Is a directory" in cli.error(errors.ERROR, "restore", ".")


def test_backup_with_invalid_arguments(cli: Cli, full: str) -> None:
    assert "'no/b.tar': No such file or directory" in cli.error(
        errors.NOT_FOUND, "backup", full, "no/b.tar"
    )
    assert "no bucket" in cli.error(errors.NOT_FOUND, "backup", f"{full}-2", "b.tar")
    assert ".zip" in cli.error(errors.USAGE, "backup", full, "b.zip")
    assert list(Path().iterdir()) == []


# -- mirror ------------------------------------------------------------------------------


def test_mirror_on_the_same_server(cli: Cli, full: str) -> None:
    cli.run("mb", f"{full}-3", "--description", "what for", "--ttl", "1h")
    assert "would copy 3 (293 KiB)" in cli.out("mirror", full, f"{full}-2", "--dry-run")
    assert f"{full}-2\n" not in cli.out("ls")
    assert cli.out("mirror", full, f"{full}-2") == (
        f"bucket '{full}-2': copied 3 (293 KiB), updated 0, deleted 0, 0 unchanged\n"
    )
    cli.run("mirror", f"{full}-3", f"{full}-4")
    status = cli.json("status", f"{full}-4")
    assert (status["description"], status["ttl"]) == ("what for", 3600)


def test_mirror_dry_run(cli: Cli, full: str) -> None:
    cli.run("mirror", full, f"{full}-2")
    cli.run("put", "-", f"{full}/b", stdin=b"new")
    cli.run("put", "-", f"{full}-2/c\n", stdin=b"theirs")
    assert cli.out("mirror", full, f"{full}-2", "--delete", "-n") == (
        "would copy b\nwould delete c\\n\n"
        f"bucket '{full}-2': would copy 1 (3 B), update 0, delete 1, 2 unchanged\n"
    )
    assert cli.out("cat", f"{full}-2/b") == "b"
    assert cli.json("mirror", full, f"{full}-2", "--delete") == {
        "source": full, "target": f"{full}-2", "dry_run": False, "copied": ["b"], "updated": [],
        "unchanged": 2, "removed": ["c\n"], "size": 3, "failed": [],
    }  # fmt: skip
    assert cli.out("cat", f"{full}-2/b") == "new"


def test_mirror_of_an_empty_bucket(cli: Cli, full: str) -> None:
    cli.run("mb", f"{full}-2")
    assert cli.error(errors.USAGE, "mirror", f"{full}-2", full, "--delete") == (
        f"bucket '{full}-2' has nothing to copy: deleting would remove 3 objects from bucket "
        f"{full!r}; nothing was changed; if this is intended, add --force"
    )
    assert "(2): nothing was changed" in cli.error(
        errors.USAGE, "mirror", f"{full}-2", full, "--delete", "--force", "--max-delete", "2"
    )
    assert len(cli.out("ls", full).splitlines()) == 3
    assert "deleted 3" in cli.out(
        "mirror", f"{full}-2", full, "--delete", "--force", "--max-delete", "3"
    )


def test_mirror_to_another_server(
    cli: Cli, full: str, elsewhere: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "2 objects" in cli.out("backup", full, "b.tar")
    assert "copied 3 " in cli.out("mirror", full, full, "--to", elsewhere.url)
    assert Cli(elsewhere).run("cat", f"{full}/folder/a").stdout_bytes == DATA
    folder = Path("config/nats/context")
    folder.mkdir(parents=True)
    (folder / "away.json").write_text(json.dumps({"url": elsewhere.url}))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("config").absolute()))
    assert "copied 0 " in cli.out("mirror", full, full, "--to", "away", "--timeout", "3s")
    assert "context 'nowhere'" in cli.error(errors.ERROR, "mirror", full, full, "--to", "nowhere")
    gone = "nats://127.0.0.1:1"
    assert "127.0.0.1:1" in cli.error(errors.UNREACHABLE, "mirror", full, full, "--to", gone)


def test_mirror_to_a_server_with_credentials(
    cli: Cli, full: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The credentials are in the context; any of them made the command fail with a TypeError."""
    with NatsServer(config='authorization { user: "me", password: "secret" }') as guarded:
        folder = Path("config/nats/context")
        folder.mkdir(parents=True)
        context = {"url": guarded.url, "user": "me", "password": "secret"}
        (folder / "away.json").write_text(json.dumps(context))
        monkeypatch.setenv("XDG_CONFIG_HOME", str(Path("config").absolute()))
        assert "copied 3 " in cli.out("mirror", full, full, "--to", "away")
        assert "copied 0 " in cli.out("mirror", full, full, "--to", "away")


def test_mirror_with_invalid_arguments(cli: Cli, full: str) -> None:
    assert "--to" in cli.error(errors.USAGE, "mirror", full, full)
    assert "no bucket" in cli.error(errors.NOT_FOUND, "mirror", f"{full}-2", "x")
    assert "names no bucket" in cli.error(errors.USAGE, "mirror", full, "x/y")
    cli.run("mirror", full, f"{full}-2")
    cli.run("seal", f"{full}-2", "--yes")
    assert "copied 0 " in cli.out("mirror", full, f"{full}-2")
    cli.run("put", "-", f"{full}/b", stdin=b"new")
    assert "sealed" in cli.error(errors.CONFLICT, "mirror", full, f"{full}-2")


def test_mirror_goes_on_after_a_damaged_object(cli: Cli, full: str) -> None:
    nuid = cli.json("info", f"{full}/folder/a")["nuid"]
    purge = {"filter": raw_stream.chunk_subject(full, nuid)}
    cli.inspect(lambda nc: raw_stream.request(nc, f"STREAM.PURGE.OBJ_{full}", purge))
    result = cli.run("mirror", full, f"{full}-2", code=errors.DAMAGED)
    assert "'folder/a'" in result.stderr
    assert "copied 2 " in result.stdout


# -- help --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["backup", "restore", "mirror"])
def test_help_in_80_columns(cli: Cli, command: str) -> None:
    text = cli.out(command, "--help")
    assert max(map(len, text.splitlines())) <= 80
    assert f"\n  {command} " in cli.out("--help")
