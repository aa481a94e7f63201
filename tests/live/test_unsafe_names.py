"""Object names that leave the target directory, and paths that cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import jetstow
from jetstow.cli import errors
from tests.support.cli import Cli
from tests.support.samples import some_bytes
from tests.support.servers import NatsServer

pytestmark = pytest.mark.one_path

DATA = some_bytes(1_000)


# -- get_file ----------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a file, a directory, a pipe, links to each, a dangling link and a loop."""
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("file", "folder", "pipe", "nowhere"):
        (tmp_path / f"to-{name}").symlink_to(name)
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("folder", IsADirectoryError),
        ("to-folder", IsADirectoryError),
        ("", IsADirectoryError),
        ("missing/file", FileNotFoundError),
        ("file/file", NotADirectoryError),
        ("pipe", FileExistsError),
        ("x" * 256, OSError),
    ],
)
async def test_get_file_to_a_path_that_cannot_be_a_file(
    store: jetstow.ObjectStore, folder: Path, place: str, kind: type[OSError]
) -> None:
    # A pipe was replaced by a file. The error for a missing directory named the temporary file.
    await store.put("a", DATA)
    path, before = folder / place, sorted(folder.rglob("*"))
    with pytest.raises(kind) as caught:
        await store.get_file("a", path)
    assert str(path) in str(caught.value)
    assert ".part" not in str(caught.value)
    assert sorted(folder.rglob("*")) == before
    assert (folder / "pipe").is_fifo()


@pytest.mark.parametrize("place", ["to-file", "to-pipe", "to-nowhere", "loop"])
async def test_get_file_replaces_a_symlink(
    store: jetstow.ObjectStore, folder: Path, place: str
) -> None:
    await store.put("a", DATA)
    await store.get_file("a", folder / place)
    assert not (folder / place).is_symlink()
    assert (folder / place).read_bytes() == DATA
    assert (folder / "file").read_text() == "old"
    assert (folder / "pipe").is_fifo()


async def test_get_file_onto_a_write_protected_file(
    store: jetstow.ObjectStore, folder: Path
) -> None:
    # A rename would replace the file: it only needs write permission for the directory.
    await store.put("a", DATA)
    path = folder / "file"
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="write-protected") as caught:
        await store.get_file("a", path)
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"


# -- the command line -------------------------------------------------------------------------


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory of the commands. Nothing around it may change."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("secret")
    monkeypatch.chdir(tmp_path / "in")
    yield tmp_path / "in"
    assert {each.name for each in tmp_path.iterdir()} == {"in", "secret"}
    assert (tmp_path / "secret").read_text() == "secret"


@pytest.fixture(scope="module")
def latest() -> Iterator[NatsServer]:
    """File names do not depend on the server: one version is enough."""
    with NatsServer() as started:
        yield started


@pytest.fixture
def cli(latest: NatsServer, bucket: str) -> Cli:
    cli = Cli(latest)
    cli.run("mb", bucket)
    return cli


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("a/../../b", "b"),
        ("../secret", "secret"),
        ("C:\\x", "C:\\x"),
        ("\\\\server\\x", "\\\\server\\x"),
        ("..\\..\\x", "..\\..\\x"),
        ("CON", "CON"),
        ("NUL.txt", "NUL.txt"),
        ("dots...", "dots..."),
        (" spaces  ", " spaces  "),
        ("~root", "~root"),
        ("-rf", "-rf"),
        ("%2e%2e%2fx", "%2e%2e%2fx"),
    ],
)
def test_cli_get_stays_in_the_working_directory(
    cli: Cli, bucket: str, inside: Path, name: str, file_name: str
) -> None:
    cli.run("put", "-", f"{bucket}/{name}", stdin=DATA)
    cli.run("get", f"{bucket}/{name}")
    assert [each.name for each in inside.iterdir()] == [file_name]
    assert (inside / file_name).read_bytes() == DATA


@pytest.mark.parametrize("name", ["..", ".", "a/..", "\x1b]0;x\x07", "a\nb", "a\x7fb", "a\x9bb"])
def test_cli_get_of_a_name_unusable_as_a_file_name(
    cli: Cli, bucket: str, inside: Path, name: str
) -> None:
    cli.run("put", "-", f"{bucket}/{name}", stdin=DATA)
    for path in ([], ["./"], ["."]):
        error = cli.error(errors.USAGE, "get", f"{bucket}/{name}", *path)
        assert "specify the file to write" in error
        assert error.isprintable()
    assert list(inside.iterdir()) == []
    output = cli.out("get", f"{bucket}/{name}", "named")
    assert output.removesuffix("\n").isprintable()
    assert (inside / "named").read_bytes() == DATA
    for shown in (cli.out("ls", bucket), cli.out("info", f"{bucket}/{name}")):
        assert all(line.isprintable() for line in shown.removesuffix("\n").split("\n"))


def test_cli_get_of_a_name_too_long_for_a_file(cli: Cli, bucket: str, inside: Path) -> None:
    name = "ü" * 200
    cli.run("put", "-", f"{bucket}/{name}", stdin=DATA)
    assert "too long" in cli.error(errors.ERROR, "get", f"{bucket}/{name}")
    assert list(inside.iterdir()) == []


@pytest.mark.parametrize("path", [[], ["./"], ["sub"]])
def test_cli_get_replaces_a_symlink_named_like_the_object(
    cli: Cli, bucket: str, inside: Path, path: list[str]
) -> None:
    (inside / "sub").mkdir()
    place = inside / "sub" if path == ["sub"] else inside
    (place / "a").symlink_to(inside.parent / "secret")
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    cli.run("get", f"{bucket}/a", *path)
    assert not (place / "a").is_symlink()
    assert (place / "a").read_bytes() == DATA


def test_cli_get_follows_a_symlink_that_the_user_names(cli: Cli, bucket: str, inside: Path) -> None:
    (inside / "sub").mkdir()
    (inside / "to-sub").symlink_to("sub")
    (inside / "to-file").symlink_to("sub/file")
    cli.run("put", "-", f"{bucket}/a", stdin=DATA)
    cli.run("get", f"{bucket}/a", "to-sub")
    cli.run("get", f"{bucket}/a", "to-file")
    assert (inside / "sub" / "a").read_bytes() == (inside / "sub" / "file").read_bytes() == DATA
    assert (inside / "to-file").is_symlink()
