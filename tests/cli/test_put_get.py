"""put, get, cat: files, pipes, names, revisions."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli, Process, wait_until
from tests.support.proxy import Proxy
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(300_000)


@pytest.fixture
def cli(server: NatsServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run commands in an empty folder, with a bucket."""
    monkeypatch.chdir(tmp_path)
    cli = Cli(server)
    cli.run("mb", bucket)
    return cli


# -- put ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("", "a.txt"),
        ("/", "a.txt"),
        ("/b", "b"),
        ("/folder/", "folder/a.txt"),
        ("/目录/ü", "目录/ü"),
    ],
)
def test_put_target(cli: Cli, bucket: str, target: str, name: str) -> None:
    Path("a.txt").write_bytes(DATA)
    result = cli.out("put", "a.txt", f"{bucket}{target}")
    assert result.startswith(f"{bucket}/{name}: 293 KiB stored, revision ")
    assert cli.run("cat", f"{bucket}/{name}").stdout_bytes == DATA


def test_put_several_files(cli: Cli, bucket: str) -> None:
    Path("folder").mkdir()
    for path in ("a", "folder/b", "leer"):
        Path(path).write_text(path if path != "leer" else "")
    put = cli.json("put", "a", "folder/b", "leer", f"{bucket}/to/")
    assert [(item["name"], item["size"]) for item in put] == [
        ("to/a", 1),
        ("to/b", 8),
        ("to/leer", 0),
    ]
    assert put[0].keys() == cli.json("info", f"{bucket}/to/a").keys()


def test_put_goes_on_after_a_failure(cli: Cli, bucket: str) -> None:
    Path("a").write_text("a")
    Path("folder").mkdir()
    result = cli.run("put", "missing", "folder", "a", f"{bucket}/", code=errors.NOT_FOUND)
    missing, folder = result.stderr.splitlines()
    assert missing == "jetstow: 'missing': No such file or directory"
    assert folder.startswith("jetstow: 'folder' is a folder: use 'jetstow cp -r ./folder ")
    assert cli.out("ls", bucket) == "a\n"


def test_put_with_an_ambiguous_target(cli: Cli, bucket: str) -> None:
    Path("folder").mkdir()
    for path in ("a", "folder/a"):
        Path(path).write_text(path)
    assert "slash" in cli.error(errors.USAGE, "put", "a", "folder/a", f"{bucket}/x")
    assert "two files have the same target" in cli.error(
        errors.USAGE, "put", "a", "folder/a", f"{bucket}/"
    )
    assert "no name" in cli.error(errors.USAGE, "put", "-", f"{bucket}/", stdin=b"x")
    assert "--if-revision" in cli.error(
        errors.USAGE, "put", "a", "folder/a", f"{bucket}/", "--if-revision", "0"
    )
    assert cli.out("ls", bucket) == ""


def test_put_standard_input(cli: Cli, bucket: str) -> None:
    (put,) = cli.json("put", "-", f"{bucket}/a", stdin=DATA)
    assert (put["size"], put["digest"]) == (len(DATA), digest_of(DATA))
    (put,) = cli.json("put", "-", f"{bucket}/empty", stdin=b"")
    assert (put["size"], put["chunks"]) == (0, 0)


def test_put_if_revision(cli: Cli, bucket: str) -> None:
    (first,) = cli.json("put", "-", f"{bucket}/a", "--if-revision", "0", stdin=b"1")
    cli.error(errors.CONFLICT, "put", "-", f"{bucket}/a", "--if-revision", "0", stdin=b"2")
    revision = str(first["revision"])
    cli.run("put", "-", f"{bucket}/a", "--if-revision", revision, stdin=b"3")
    error = cli.error(
        errors.CONFLICT, "put", "-", f"{bucket}/a", "--if-revision", revision, stdin=b"4"
    )
    assert f"not at {revision}" in error
    assert cli.out("cat", f"{bucket}/a") == "3"
    assert cli.chunks(bucket) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--chunk-size", "2M"], "--chunk-size of"),
        (["--chunk-size", "0"], "--chunk-size of"),
        (["--header", "x"], "--header takes KEY=VALUE"),
        (["--metadata", "=x"], "--metadata takes KEY=VALUE"),
    ],
)
def test_put_with_invalid_options(cli: Cli, bucket: str, options: list[str], message: str) -> None:
    assert message in cli.error(errors.USAGE, "put", "-", f"{bucket}/a", *options, stdin=b"x")
    assert cli.out("ls", bucket) == ""


def test_put_into_a_full_bucket(cli: Cli, bucket: str) -> None:
    small = f"{bucket}-small"
    cli.run("mb", small, "--max-bytes", "100K")
    result = cli.run("put", "-", f"{small}/a", stdin=DATA, code=errors.ERROR)
    assert small in result.stderr
    assert (cli.out("ls", small), cli.chunks(small)) == ("", 0)


# -- get ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ([], "a.txt"),
        (["b.txt"], "b.txt"),
        (["there"], "there/a.txt"),
        (["there/"], "there/a.txt"),
        (["./"], "./a.txt"),
        (["link"], "behind"),
    ],
)
def test_get_path(cli: Cli, bucket: str, path: list[str], written: str) -> None:
    Path("there").mkdir()
    Path("link").symlink_to("behind")
    cli.run("put", "-", f"{bucket}/folder/a.txt", stdin=DATA)
    line = cli.out("get", f"{bucket}/folder/a.txt", *path)
    assert line.endswith(f": 293 KiB from {bucket}/folder/a.txt, verified\n")
    assert Path(written).read_bytes() == DATA
    assert Path("link").is_symlink()
    assert not list(Path().rglob("*.part"))


def test_get_replaces_a_file(cli: Cli, bucket: str) -> None:
    Path("a").write_text("old, and longer")
    cli.run("put", "-", f"{bucket}/a", stdin=b"new")
    data = cli.json("get", f"{bucket}/a")
    assert (data["path"], data["size"]) == ("a", 3)
    assert Path("a").read_text() == "new"


@pytest.mark.parametrize("name", ["../../escaped", "/etc/escaped", "a/../escaped"])
def test_get_name_that_leaves_the_folder(cli: Cli, bucket: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    os.chdir(tmp_path / "in")
    cli.run("put", "-", f"{bucket}/{name}", stdin=b"x")
    cli.run("get", f"{bucket}/{name}")
    assert (tmp_path / "in" / "escaped").read_text() == "x"


@pytest.mark.parametrize("name", ["..", "folder/", "a/.", "a/.."])
def test_get_name_that_is_not_a_file_name(cli: Cli, bucket: str, name: str) -> None:
    cli.run("mb", bucket)
    if name.endswith("/"):
        assert "specify the file to write" in cli.error(errors.USAGE, "get", f"{bucket}/{name}")
        return
    cli.run("put", "-", f"{bucket}/{name}", stdin=b"x")
    assert "specify the file to write" in cli.error(errors.USAGE, "get", f"{bucket}/{name}")
    cli.run("get", f"{bucket}/{name}", "named")
    assert Path("named").read_text() == "x"


def test_get_of_a_missing_object_or_folder(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"x")
    assert "no object 'b'" in cli.error(errors.NOT_FOUND, "get", f"{bucket}/b")
    assert "'no': No such file or directory" in cli.error(
        errors.NOT_FOUND, "get", f"{bucket}/a", "no/a"
    )
    assert list(Path().iterdir()) == []


def test_get_and_cat_to_standard_output(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    assert cli.run("get", f"{bucket}/a", "-").stdout_bytes == DATA
    assert cli.run("cat", f"{bucket}/a", f"{bucket}/a").stdout_bytes == DATA + DATA
    assert "JSON" in cli.error(errors.USAGE, "get", f"{bucket}/a", "-", "--json")


def test_get_of_a_damaged_object(cli: Cli, bucket: str) -> None:
    from tests.support import raw_stream

    (put,) = cli.json("put", "-", f"{bucket}/a", "--chunk-size", "100K", stdin=DATA)
    subject = raw_stream.chunk_subject(bucket, put["nuid"])
    purge = {"filter": subject, "keep": 2}
    cli.inspect(lambda nc: raw_stream.request(nc, f"STREAM.PURGE.OBJ_{bucket}", purge))
    assert bucket in cli.error(errors.DAMAGED, "get", f"{bucket}/a")
    assert list(Path().iterdir()) == []
    cli.run("cat", f"{bucket}/a", code=errors.DAMAGED)


# -- resume ------------------------------------------------------------------------------


def test_put_resume_after_a_kill(
    cli: Cli, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    data = some_bytes(20_000_000)
    (tmp_path / "a").write_bytes(data)
    put = ("put", "a", f"{bucket}/", "--resume", "--chunk-size", "1K")

    async def put_until_killed() -> None:
        async with Proxy(cli.server.port) as proxy:
            stalled = proxy.stall_after(5_000_000, "to_server")
            with Process(*put, env={"NATS_URL": proxy.url}) as process:
                await stalled
                process.signal(signal.SIGKILL)

    asyncio.run(put_until_killed())
    wait_until(lambda: cli.chunks(bucket) > 1_000)
    assert cli.chunks(bucket) < 19_532, "the kill came after the last chunk"
    cli.run(*put)
    assert cli.chunks(bucket) == 19_532, "a chunk is missing or stored twice"
    cli.run("get", f"{bucket}/a", "b", "--resume")
    assert (tmp_path / "b").read_bytes() == data


@pytest.mark.parametrize("args", [("put", "-", "{}/a"), ("get", "{}/a", "-")])
def test_resume_with_a_pipe(cli: Cli, bucket: str, args: tuple[str, ...]) -> None:
    message = cli.error(errors.USAGE, *(arg.format(bucket) for arg in args), "--resume")
    assert "--resume needs a regular file" in message
