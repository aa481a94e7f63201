"""cp and mv: files and objects, both ways, one or many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import jetstow.sync
from jetstow.cli import errors
from tests.support import raw_stream
from tests.support.cli import Cli


@pytest.fixture
def other(cli: Cli, bucket: str) -> str:
    cli.run("mb", f"{bucket}-other")
    return f"{bucket}-other"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "sub/c"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(name)
    return tmp_path


def names(cli: Cli, bucket: str) -> list[str]:
    return cli.out("ls", "-r", bucket).splitlines()


def test_cp_files_to_a_bucket_and_back(cli: Cli, bucket: str, folder: Path) -> None:
    assert cli.out("cp", "./in/a", f"{bucket}/x") == f"copied ./in/a to {bucket}/x (1 B)\n"
    cli.run("cp", "./in/a", "./in/b", f"{bucket}/two/")
    cli.run("cp", "-r", "./in", bucket)
    cli.run("cp", "-r", "./in/", f"{bucket}/contents/")
    assert names(cli, bucket) == [
        "contents/a", "contents/b", "contents/sub/c", "in/a", "in/b", "in/sub/c", "two/a", "two/b",
        "x",
    ]  # fmt: skip
    cli.run("cp", f"{bucket}/x", "./out")
    assert Path("out").read_text() == "a"
    cli.run("cp", "-r", f"{bucket}/in", "./back/")
    assert Path("back/in/sub/c").read_text() == "sub/c"
    cli.run("cp", "-r", f"{bucket}/in/", "./back/")
    assert Path("back/sub/c").read_text() == "sub/c"


def test_markers_of_folders(cli: Cli, bucket: str, other: str, folder: Path) -> None:
    """fsspec's `mkdir` and S3 tools store an empty object for a folder, which is no file."""
    with jetstow.sync.connect(cli.server.url) as nc:
        nc.jetstream().object_store(bucket).put("d/", b"")
    cli.run("put", "-", f"{bucket}/d/a", stdin=b"a")
    cli.run("cp", "-r", f"{bucket}/d", "./out/")
    cli.run("cp", "-r", f"{bucket}/d", f"{other}/")
    cli.run("sync", f"{bucket}/", "./synced")
    assert names(cli, other) == ["d/", "d/a"]
    for path in ("out/d", "synced/d"):
        assert [file.name for file in (folder / path).iterdir()] == ["a"]
    cli.run("sync", "--delete", "./synced", f"{bucket}/")
    assert names(cli, bucket) == ["d/", "d/a"]


def test_cp_between_buckets_keeps_metadata(cli: Cli, bucket: str, other: str) -> None:
    cli.run("put", "-", f"{bucket}/a", "--tag", "t", "--content-type", "x/y", stdin=b"bytes")
    (copied,) = cli.json("cp", f"{bucket}/a", f"{other}/")
    assert (copied["source"], copied["target"]) == (f"{bucket}/a", f"{other}/a")
    assert (copied["tags"], copied["content_type"], copied["size"]) == (["t"], "x/y", 5)
    assert cli.out("cat", f"{other}/a") == "bytes"
    cli.run("cp", "-r", bucket, f"{other}/all/")
    assert names(cli, other) == ["a", "all/a"]


def test_mv_deletes_the_source(cli: Cli, bucket: str, other: str, folder: Path) -> None:
    cli.run("mv", "./in/a", f"{bucket}/")
    assert not Path("in/a").exists()
    assert cli.out("mv", f"{bucket}/a", f"{other}/b") == f"moved {bucket}/a to {other}/b\n"
    assert (names(cli, bucket), names(cli, other)) == ([], ["b"])
    cli.run("mv", f"{other}/b", "./a")
    assert (Path("a").read_text(), names(cli, other)) == ("a", [])
    cli.run("mv", "-r", "./in", bucket)
    assert names(cli, bucket) == ["in/b", "in/sub/c"]
    cli.run("mv", "-r", f"{bucket}/in/", f"{bucket}/")
    assert names(cli, bucket) == ["b", "sub/c"]


def test_invalid_sources_and_targets(cli: Cli, bucket: str, folder: Path) -> None:
    assert "one must be BUCKET/NAME" in cli.error(errors.USAGE, "cp", "./in/a", "./b")
    assert "end" in cli.error(errors.USAGE, "cp", "./in/a", "./in/b", f"{bucket}/x")
    assert "is a folder: add --recursive" in cli.error(errors.USAGE, "cp", "./in", f"{bucket}/")
    assert "two sources have the same target" in cli.error(
        errors.USAGE, "cp", "./in/a", "./in/../in/a", f"{bucket}/"
    )
    cli.error(errors.NOT_FOUND, "cp", "./nothing", f"{bucket}/")
    cli.error(errors.NOT_FOUND, "mv", f"{bucket}/nothing", "./x")
    cli.error(errors.NOT_FOUND, "cp", "-r", f"{bucket}/nothing/", "./x/")
    assert names(cli, bucket) == []
    assert sorted(path.name for path in Path("in").iterdir()) == ["a", "b", "sub"]


def test_cp_name_that_leaves_the_folder(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("put", "in/a", f"{bucket}/x/../../up")
    assert "not a valid file name" in cli.error(errors.USAGE, "cp", "-r", bucket, "./out/")
    assert not Path("out").exists()
    assert not Path("up").exists()


@pytest.mark.parametrize("command", ["cp", "mv"])
def test_names_that_are_no_files(cli: Cli, bucket: str, folder: Path, command: str) -> None:
    """One object named `..` or `.` ended `cp -r` before anything was copied."""
    unsafe = ["..", ".", "../up", "x/./y", "x//y", "a\0b", "a\nb"]
    for name in ("a", "x/z", "3.45\u202fPM.png", *unsafe):
        cli.run("put", "in/a", f"{bucket}/{name}")
    result = cli.run(command, "-r", f"{bucket}/", "./out/", code=errors.USAGE)
    out = Path("out")
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*")) == [
        "3.45\u202fPM.png", "a", "x", "x/z",
    ]  # fmt: skip
    assert not Path("up").exists()
    lines = result.stderr.splitlines()
    assert len(lines) == len(unsafe)
    assert all("cannot be copied" in line and f"{bucket}/" in line for line in lines)
    assert len(names(cli, bucket)) == len(unsafe) + (3 if command == "cp" else 0)
    Path("two").mkdir()
    cli.run("put", "in/a", f"{bucket}/b")
    cli.run("cp", f"{bucket}/..", f"{bucket}/b", "./two/", code=errors.USAGE)
    assert [path.name for path in Path("two").iterdir()] == ["b"]
    assert "cannot be copied" in cli.error(errors.USAGE, "cp", f"{bucket}/..", "./two/")


def test_missing_sources(cli: Cli, bucket: str, folder: Path) -> None:
    """A source that did not exist ended `cp` before the others were copied."""
    no_bucket = f"{bucket}-no"
    result = cli.run(
        "cp", "-r", "./nothing", "./in/a", f"{no_bucket}/x", f"{bucket}/no/", "./in/b",
        f"{bucket}/", code=errors.NOT_FOUND,
    )  # fmt: skip
    assert names(cli, bucket) == ["a", "b"]
    missing = ("nothing", no_bucket, f"{bucket}/no/")
    for line, text in zip(result.stderr.splitlines(), missing, strict=True):
        assert text in line


def test_unreadable_folder(
    cli: Cli, bucket: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`cp -r` left out a folder that it could not list, with exit code 0."""
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("sub"):  # root may read a folder of mode 0
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    error = cli.error(errors.REFUSED, "cp", "-r", "./in/", f"{bucket}/")
    assert error == "'in/sub': Permission denied"
    assert names(cli, bucket) == ["a", "b"]


def test_unreadable_metadata(cli: Cli, bucket: str, folder: Path) -> None:
    """`cp -r` left out the objects, with exit code 0."""
    cli.run("sync", "./in", f"{bucket}/p")
    cli.inspect(lambda nc: raw_stream.write_metadata(nc, bucket, "p/bad", b"no JSON"))
    cli.inspect(lambda nc: raw_stream.write_metadata(nc, bucket, "other", b"no JSON"))
    error = cli.error(errors.DAMAGED, "cp", "-r", f"{bucket}/p", "./out/")
    assert "'p/bad'" in error
    assert Path("out/p/sub/c").read_text() == "sub/c"
    assert "'other'" in cli.error(errors.DAMAGED, "cp", "-r", f"{bucket}/other", "./out/")


def test_cp_goes_on_after_a_failure(cli: Cli, bucket: str, folder: Path) -> None:
    Path("in/b").chmod(0)
    (folder / "in" / "pipe").symlink_to("/nonexistent")
    Path("in/z").mkdir()
    cli.run("put", "in/a", f"{bucket}/a")
    cli.run("put", "in/a", f"{bucket}/b")
    Path("out").mkdir()
    Path("out/a").mkdir()
    result = cli.run("cp", f"{bucket}/a", f"{bucket}/b", "./out/", code=errors.ERROR)
    assert "out/a" in result.stderr
    assert Path("out/b").read_text() == "a"


def test_key_file(cli: Cli, bucket: str, folder: Path) -> None:
    assert "new key" in cli.out("keygen", "key")
    assert Path("key").stat().st_mode & 0o777 == 0o600
    assert "'key': File exists" in cli.error(errors.CONFLICT, "keygen", "key")
    cli.run("put", "in/a", f"{bucket}/a", "--key-file", "key")
    cli.run("cp", "./in/b", f"{bucket}/b", "--key-file", "key")
    assert "is encrypted: add --key-file" in cli.error(errors.REFUSED, "cat", f"{bucket}/a")
    assert cli.out("cat", f"{bucket}/a", f"{bucket}/b", "--key-file", "key") == "ab"
    assert cli.json("info", f"{bucket}/a", "--key-file", "key")["size"] == 1
    assert "encrypted" in cli.out("info", f"{bucket}/a")
    assert "a (encrypted)" in cli.out("ls", "-l", bucket)
    Path("wrong").write_text("x")
    assert "does not contain a key" in cli.error(
        errors.USAGE, "cat", f"{bucket}/a", "--key-file", "wrong"
    )
    Path("raw").write_bytes(bytes(32))
    assert "another key" in cli.error(errors.REFUSED, "cat", f"{bucket}/a", "--key-file", "raw")


def test_plain_object_with_key_file(cli: Cli, bucket: str, folder: Path) -> None:
    """`cat --key-file` printed a plain object that had replaced an encrypted one, with exit 0."""
    key = ("--key-file", "key")
    cli.run("keygen", "key")
    cli.run("put", "in/a", f"{bucket}/a", *key)
    cli.run("ln", f"{bucket}/a", f"{bucket}/link", *key)
    assert cli.out("cat", f"{bucket}/link", *key) == "a"
    cli.run("verify", bucket, *key)
    cli.run("put", "in/b", f"{bucket}/b")
    cli.run("ln", f"{bucket}/a", f"{bucket}/other")
    for command in (
        ("cat", f"{bucket}/b"),
        ("get", f"{bucket}/b", "out"),
        ("cat", f"{bucket}/other"),
    ):
        assert "--allow-plain" in cli.error(errors.DAMAGED, *command, *key)
    assert not Path("out").exists()
    cli.run("verify", bucket, *key, code=errors.DAMAGED)
    assert cli.out("cat", f"{bucket}/b", f"{bucket}/other", *key, "--allow-plain") == "ba"
    cli.run("mv", f"{bucket}/a", f"{bucket}/moved", code=errors.REFUSED)
    cli.run("mv", f"{bucket}/a", f"{bucket}/moved", *key)
    assert cli.out("cat", f"{bucket}/moved", *key) == "a"


def test_mirror_with_key_file(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("keygen", "key")
    cli.run("put", "in/a", f"{bucket}/a", "--key-file", "key")
    cli.run("mirror", bucket, f"{bucket}-m")
    command = ("cat", f"{bucket}-m/a", "--key-file", "key")
    assert "with --original-bucket" in cli.error(errors.DAMAGED, *command)
    assert cli.out(*command, "--original-bucket", bucket) == "a"
    cli.run("rb", f"{bucket}-m", "--yes")


def test_info_of_tags_type_and_expiry(cli: Cli, bucket: str) -> None:
    cli.run("put", "-", f"{bucket}/a.csv", "--tag", "x", "--tag", "y", "--ttl", "1h", stdin=b"1")
    text = cli.out("info", f"{bucket}/a.csv")
    assert "text/csv" in text
    assert "x, y" in text
    assert "expires" in text
    data = cli.json("info", f"{bucket}/a.csv")
    assert data["tags"] == ["x", "y"]
    assert data["expires"]
