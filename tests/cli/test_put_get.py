"""put, get, cat: files, pipes, names, revisions."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli, wait_until
from tests.support.samples import digest_of, some_bytes
from tests.support.servers import NatsServer

DATA = some_bytes(300_000)


@pytest.fixture
def cli(server: NatsServer, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """In an empty folder, with a bucket."""
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
def test_a_file_goes_where_it_is_told(cli: Cli, bucket: str, target: str, name: str) -> None:
    Path("a.txt").write_bytes(DATA)
    result = cli.out("put", "a.txt", f"{bucket}{target}")
    assert result.startswith(f"{bucket}/{name}: 293 KiB stored, revision ")
    assert cli.run("cat", f"{bucket}/{name}").stdout_bytes == DATA


def test_several_files_go_into_a_place(cli: Cli, bucket: str) -> None:
    Path("folder").mkdir()
    for path in ("a", "folder/b", "leer"):
        Path(path).write_text(path if path != "leer" else "")
    put = cli.json("put", "a", "folder/b", "leer", f"{bucket}/to/")
    assert [(each["name"], each["size"]) for each in put] == [
        ("to/a", 1),
        ("to/b", 8),
        ("to/leer", 0),
    ]
    assert put[0].keys() == cli.json("info", f"{bucket}/to/a").keys()


def test_one_bad_file_does_not_stop_the_others(cli: Cli, bucket: str) -> None:
    Path("a").write_text("a")
    Path("folder").mkdir()
    result = cli.run("put", "missing", "folder", "a", f"{bucket}/", code=errors.NOT_FOUND)
    assert result.stderr == (
        "jetstow: there is no file 'missing'\njetstow: 'folder': Is a directory\n"
    )
    assert cli.out("ls", bucket) == "a\n"


def test_where_it_would_not_be_clear_nothing_is_put(cli: Cli, bucket: str) -> None:
    Path("folder").mkdir()
    for path in ("a", "folder/a"):
        Path(path).write_text(path)
    assert "slash" in cli.error(errors.USAGE, "put", "a", "folder/a", f"{bucket}/x")
    assert "two of the files" in cli.error(errors.USAGE, "put", "a", "folder/a", f"{bucket}/")
    assert "no name" in cli.error(errors.USAGE, "put", "-", f"{bucket}/", stdin=b"x")
    assert "--if-revision" in cli.error(
        errors.USAGE, "put", "a", "folder/a", f"{bucket}/", "--if-revision", "0"
    )
    assert cli.out("ls", bucket) == ""


def test_standard_input(cli: Cli, bucket: str) -> None:
    (put,) = cli.json("put", "-", f"{bucket}/a", stdin=DATA)
    assert (put["size"], put["digest"]) == (len(DATA), digest_of(DATA))
    (put,) = cli.json("put", "-", f"{bucket}/empty", stdin=b"")
    assert (put["size"], put["chunks"]) == (0, 0)


def test_only_over_the_revision_that_one_knows(cli: Cli, bucket: str) -> None:
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
    ("options", "said"),
    [
        (["--chunk-size", "2M"], "max_chunk_size"),
        (["--chunk-size", "0"], "max_chunk_size"),
        (["--header", "x"], "--header takes KEY=VALUE"),
        (["--metadata", "=x"], "--metadata takes KEY=VALUE"),
    ],
)
def test_options_that_cannot_be(cli: Cli, bucket: str, options: list[str], said: str) -> None:
    assert said in cli.error(errors.USAGE, "put", "-", f"{bucket}/a", *options, stdin=b"x")
    assert cli.out("ls", bucket) == ""


def test_a_full_bucket(cli: Cli, bucket: str) -> None:
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
def test_an_object_lands_where_it_is_told(
    cli: Cli, bucket: str, path: list[str], written: str
) -> None:
    Path("there").mkdir()
    Path("link").symlink_to("behind")
    cli.run("put", "-", f"{bucket}/folder/a.txt", stdin=DATA)
    said = cli.out("get", f"{bucket}/folder/a.txt", *path)
    assert said.endswith(f": 293 KiB from {bucket}/folder/a.txt, verified\n")
    assert Path(written).read_bytes() == DATA
    assert Path("link").is_symlink()
    assert not list(Path().rglob("*.part"))


def test_a_file_that_is_there_is_replaced(cli: Cli, bucket: str) -> None:
    Path("a").write_text("old, and longer")
    cli.run("put", "-", f"{bucket}/a", stdin=b"new")
    found = cli.json("get", f"{bucket}/a")
    assert (found["path"], found["size"]) == ("a", 3)
    assert Path("a").read_text() == "new"


@pytest.mark.parametrize("name", ["../../escaped", "/etc/escaped", "a/../escaped"])
def test_a_name_cannot_lead_out_of_the_folder(
    cli: Cli, bucket: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    os.chdir(tmp_path / "in")
    cli.run("put", "-", f"{bucket}/{name}", stdin=b"x")
    cli.run("get", f"{bucket}/{name}")
    assert (tmp_path / "in" / "escaped").read_text() == "x"


@pytest.mark.parametrize("name", ["..", "folder/", "a/.", "a/.."])
def test_a_name_without_a_last_part_needs_a_path(cli: Cli, bucket: str, name: str) -> None:
    cli.run("mb", bucket)
    if name.endswith("/"):
        assert "say which file" in cli.error(errors.USAGE, "get", f"{bucket}/{name}")
        return
    cli.run("put", "-", f"{bucket}/{name}", stdin=b"x")
    assert "say which file" in cli.error(errors.USAGE, "get", f"{bucket}/{name}")
    cli.run("get", f"{bucket}/{name}", "named")
    assert Path("named").read_text() == "x"


def test_what_is_missing_on_either_side(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=b"x")
    assert "no object 'b'" in cli.error(errors.NOT_FOUND, "get", f"{bucket}/b")
    assert "no folder 'no'" in cli.error(errors.NOT_FOUND, "get", f"{bucket}/a", "no/a")
    assert list(Path().iterdir()) == []


def test_standard_output_gets_the_bytes_and_nothing_else(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    assert cli.run("get", f"{bucket}/a", "-").stdout_bytes == DATA
    assert cli.run("cat", f"{bucket}/a", f"{bucket}/a").stdout_bytes == DATA + DATA
    assert "JSON" in cli.error(errors.USAGE, "get", f"{bucket}/a", "-", "--json")


def test_damage_is_told_and_nothing_lands(cli: Cli, bucket: str) -> None:
    from tests.support import raw_stream

    (put,) = cli.json("put", "-", f"{bucket}/a", "--chunk-size", "100K", stdin=DATA)
    subject = raw_stream.chunk_subject(bucket, put["nuid"])
    purge = {"filter": subject, "keep": 2}
    cli.peek(lambda nc: raw_stream.request(nc, f"STREAM.PURGE.OBJ_{bucket}", purge))
    assert bucket in cli.error(errors.DAMAGED, "get", f"{bucket}/a")
    assert list(Path().iterdir()) == []
    cli.run("cat", f"{bucket}/a", code=errors.DAMAGED)


# -- going on ----------------------------------------------------------------------------


def test_a_put_that_was_killed_is_gone_on_with(
    cli: Cli, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETSTOW_HOME", str(tmp_path / "home"))
    data = some_bytes(20_000_000)
    (tmp_path / "a").write_bytes(data)
    put = ("put", "a", f"{bucket}/", "--resume", "--chunk-size", "1K")
    with cli.start(*put) as process:
        wait_until(lambda: cli.chunks(bucket) > 1_000)
        process.signal(signal.SIGKILL)
    stored = cli.chunks(bucket)
    assert stored < 20_000, "it was killed too late to tell"
    cli.run(*put)
    assert cli.chunks(bucket) == 19_532, "and none of them twice"
    cli.run("get", f"{bucket}/a", "b", "--resume")
    assert (tmp_path / "b").read_bytes() == data


@pytest.mark.parametrize("args", [("put", "-", "{}/a"), ("get", "{}/a", "-")])
def test_a_pipe_cannot_be_gone_on_with(cli: Cli, bucket: str, args: tuple[str, ...]) -> None:
    said = cli.error(errors.USAGE, *(arg.format(bucket) for arg in args), "--resume")
    assert "--resume needs a file" in said
