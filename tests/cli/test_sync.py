"""sync: uploads and downloads of folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jetstow.cli import errors
from tests.support.cli import Cli


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "b.log", "sub/c.txt"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(cli: Cli, bucket: str) -> list[str]:
    return cli.out("ls", "-r", bucket).splitlines()


def revisions(cli: Cli, bucket: str) -> dict[str, int]:
    return {item["name"]: item["revision"] for item in cli.json("ls", "-r", bucket)}


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_upload_twice(cli: Cli, bucket: str, folder: Path) -> None:
    assert cli.out("sync", "./in", f"{bucket}/x") == "copied 3 files (19 B), 0 unchanged\n"
    assert names(cli, bucket) == ["x/a.txt", "x/b.log", "x/sub/c.txt"]
    before = revisions(cli, bucket)
    Path("in/a.txt").write_text("other")  # another size
    Path("in/b.log").write_text("c.log")  # the same size
    result = cli.json("sync", "./in", f"{bucket}/x")
    assert (result["copied"], result["unchanged"]) == (["a.txt", "b.log"], 1)
    after = revisions(cli, bucket)
    assert {name for name in before if before[name] != after[name]} == {"x/a.txt", "x/b.log"}
    assert cli.out("cat", f"{bucket}/x/b.log") == "c.log"


def test_download_twice(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("sync", "./in", bucket)
    cli.run("ln", f"{bucket}/a.txt", f"{bucket}/link")
    cli.run("ln", bucket, f"{bucket}/all")
    assert cli.json("sync", bucket, "./out")["copied"] == ["a.txt", "b.log", "link", "sub/c.txt"]
    assert files(Path("out")) == ["a.txt", "b.log", "link", "sub/c.txt"]
    assert Path("out/link").read_text() == "a.txt"
    assert Path("out/a.txt").stat().st_mtime_ns == Path("in/a.txt").stat().st_mtime_ns
    assert cli.json("sync", bucket, "./out")["unchanged"] == 4


def test_delete(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("sync", "./in", bucket)
    cli.run("sync", bucket, "./out")
    Path("in/sub/c.txt").unlink()
    assert cli.json("sync", "./in", bucket)["removed"] == []
    assert cli.out("sync", "./in", bucket, "--delete", "--dry-run") == (
        "would delete sub/c.txt\nwould copy 0 files (0 B), delete 1, 2 unchanged\n"
    )
    assert len(names(cli, bucket)) == 3
    assert cli.json("sync", "./in", bucket, "--delete")["removed"] == ["sub/c.txt"]
    assert names(cli, bucket) == ["a.txt", "b.log"]
    assert "deleted 1," in cli.out("sync", bucket, "./out/", "--delete")
    assert files(Path("out")) == ["a.txt", "b.log"]
    assert not Path("out/sub").exists()


def test_include_and_exclude(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("put", "in/a.txt", f"{bucket}/keep.bin")
    cli.run("sync", "./in", bucket, "--include", "**.txt", "--exclude", "sub/*", "--delete")
    assert names(cli, bucket) == ["a.txt", "keep.bin"]
    cli.run("sync", bucket, "./out", "--exclude", "*.bin")
    assert files(Path("out")) == ["a.txt"]


def test_download_of_names_that_leave_the_folder(cli: Cli, bucket: str, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "out").mkdir()
    (folder / "out" / "door").symlink_to(folder / "elsewhere")
    for name in ("../up", "door/in", "a//b", "fine"):
        cli.run("put", "in/a.txt", f"{bucket}/{name}")
    result = cli.run("sync", bucket, "./out", code=errors.USAGE)
    assert len(result.stderr.splitlines()) == 3
    assert "copied 1 file (5 B)" in result.stdout
    assert files(folder / "out") == ["fine"]
    assert list((folder / "elsewhere").iterdir()) == []
    assert not (folder / "up").exists()


def test_upload_skips_symbolic_links(cli: Cli, bucket: str, folder: Path) -> None:
    (folder / "in" / "link").symlink_to(folder / "in" / "a.txt")
    (folder / "in" / "round").symlink_to(folder / "in")
    os.mkfifo(folder / "in" / "pipe")
    cli.run("sync", "./in", bucket)
    assert names(cli, bucket) == ["a.txt", "b.log", "sub/c.txt"]


def test_download_goes_on_after_a_failure(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("sync", "./in", bucket)
    (folder / "out" / "a.txt").mkdir(parents=True)
    result = cli.run("sync", bucket, "./out", code=errors.ERROR)
    assert "a.txt" in result.stderr
    assert files(folder / "out") == ["b.log", "sub/c.txt"]


def test_delete_with_an_unreadable_folder(
    cli: Cli, bucket: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.run("sync", "./in", bucket)
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("sub"):  # root may read a folder of mode 0
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    (folder / "in" / "a.txt").unlink()
    result = cli.run("sync", "./in", bucket, "--delete", code=errors.REFUSED)
    assert "sub" in result.stderr
    assert names(cli, bucket) == ["b.log", "sub/c.txt"]


def test_delete_keeps_the_object_of_a_symbolic_link(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("sync", "./in", bucket)
    (folder / "in" / "a.txt").unlink()
    (folder / "in" / "a.txt").symlink_to("b.log")
    assert "1 link skipped" in cli.out("sync", "./in", bucket, "--delete")
    assert "a.txt" in names(cli, bucket)


def test_delete_keeps_the_objects_of_a_linked_folder(cli: Cli, bucket: str, folder: Path) -> None:
    """`sync --delete` deleted all objects in a folder that had become a symbolic link."""
    cli.run("sync", "./in", bucket)
    (folder / "in" / "a.txt").unlink()
    (folder / "in" / "sub").rename(folder / "moved")
    (folder / "in" / "sub").symlink_to(folder / "moved")
    assert "deleted 1," in cli.out("sync", "./in", bucket, "--delete")
    assert names(cli, bucket) == ["b.log", "sub/c.txt"]


def test_delete_with_a_mistyped_prefix(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("sync", "./in", f"{bucket}/x")
    for options in ([], ["--dry-run"], ["--max-delete", "9"]):
        assert cli.error(errors.USAGE, "sync", f"{bucket}/y", "./in", "--delete", *options) == (
            f"prefix 'y/' of bucket {bucket!r} has nothing to copy: deleting would remove 3 files "
            "from folder 'in'; nothing was changed; if this is intended, add --force"
        )
    assert len(files(folder / "in")) == 3
    cli.run("sync", f"{bucket}/y", "./in", "--delete", "--force")
    assert files(folder / "in") == []


def test_delete_with_an_empty_folder(cli: Cli, bucket: str, folder: Path) -> None:
    """The folder of a disk that is not mounted is empty: all objects were deleted."""
    cli.run("sync", "./in", bucket)
    (folder / "disk").mkdir()
    assert cli.error(errors.USAGE, "sync", "./disk", bucket, "--delete") == (
        f"folder 'disk' has nothing to copy: deleting would remove 3 objects from bucket "
        f"{bucket!r}; nothing was changed; if this is intended, add --force"
    )
    cli.run("sync", "./disk", bucket)
    assert len(names(cli, bucket)) == 3
    assert len(cli.json("sync", "./disk", bucket, "--delete", "--force")["removed"]) == 3
    assert names(cli, bucket) == []


def test_max_delete(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("sync", "./in", bucket)
    for name in ("a.txt", "b.log"):
        (folder / "in" / name).unlink()
    (folder / "in" / "new").write_text("new")
    assert cli.error(
        errors.USAGE, "sync", "./in", bucket, "--delete", "--max-delete", "1", "--force"
    ) == (
        f"deleting would remove 2 objects from bucket {bucket!r}, more than --max-delete (1): "
        "nothing was changed; check folder 'in', or raise --max-delete"
    )
    assert names(cli, bucket) == ["a.txt", "b.log", "sub/c.txt"]
    result = cli.json("sync", "./in", bucket, "--delete", "--max-delete", "2")
    assert (result["copied"], result["removed"]) == (["new"], ["a.txt", "b.log"])
    assert "whole number" in cli.error(errors.USAGE, "sync", "./in", bucket, "--max-delete", "-1")


def test_encrypted_objects(cli: Cli, bucket: str, folder: Path) -> None:
    cli.run("keygen", "key")
    cli.run("sync", "./in", bucket, "--key-file", "key")
    assert cli.json("sync", "./in", bucket, "--key-file", "key")["unchanged"] == 3
    cli.run("sync", bucket, "./out", "--key-file", "key")
    assert Path("out/sub/c.txt").read_text() == "sub/c.txt"
    assert cli.json("sync", bucket, "./out", "--key-file", "key")["unchanged"] == 3
    Path("in/b.log").write_text("c.log")  # same size, modified before the object
    os.utime("in/b.log", (0, 0))
    assert cli.json("sync", "./in", bucket, "--key-file", "key")["copied"] == ["b.log"]
    assert cli.json("sync", bucket, "./out", "--key-file", "key")["copied"] == ["b.log"]
    assert Path("out/b.log").read_text() == "c.log"
    cli.run("put", "in/b.log", f"{bucket}/b.log")  # the same bytes, not encrypted
    assert "b.log" in cli.error(errors.DAMAGED, "sync", bucket, "./new", "--key-file", "key")
    assert cli.json("sync", "./in", bucket, "--key-file", "key")["copied"] == ["b.log"]
    cli.run("verify", bucket, "--key-file", "key")


def test_invalid_sources_and_targets(cli: Cli, bucket: str, folder: Path) -> None:
    assert "mirror" in cli.error(errors.USAGE, "sync", bucket, "other")
    assert "bucket" in cli.error(errors.USAGE, "sync", "./in", "./out")
    assert (
        cli.error(errors.NOT_FOUND, "sync", "./no", bucket) == "'./no': No such file or directory"
    )
    cli.error(errors.NOT_FOUND, "sync", "./in", f"{bucket}-no")
