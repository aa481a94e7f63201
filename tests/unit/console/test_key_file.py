"""Changes of the key file: what stays, what is refused, and two writers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetstow._core.aio.locked_file import locked_file
from jetstow.console import key_file
from jetstow.console.key_file import Entry, change_keys, is_writable
from jetstow.s3.auth.keys import KeyFileError, load_keys

CONTENT = """\
# Ours: ask Ada.

[[key]]
access_key = "A"
secret_key = 'a\\b'  # lost
admin = true
buckets = ["x*", "y"]
creds = "ada.creds"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "ada.creds").touch()
    path = tmp_path / "keys.toml"
    path.write_text(CONTENT)
    path.chmod(0o640)
    return path


def add(access_key: str) -> Entry:
    return {"access_key": access_key, "secret_key": "s", "name": "é\x7f\n\"\\'", "allow": "read"}


def test_change_of_a_key_file(path: Path) -> None:
    (before,) = load_keys(path)
    change_keys(path, lambda entries: entries.append(add("B")))
    first, second = load_keys(path)
    assert first == before
    assert (second.access_key, second.name, second.allow) == ("B", "é\x7f\n\"\\'", "read")
    assert path.read_text().startswith("# Ours: ask Ada.\n\n[[key]]\n")
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in path.parent.iterdir()) == [
        ".keys.toml.lock", "ada.creds", "keys.toml",
    ]  # fmt: skip


def test_failed_changes_change_nothing(path: Path) -> None:
    def fail(entries: list[Entry]) -> None:
        entries.clear()
        raise LookupError

    with pytest.raises(LookupError):
        change_keys(path, fail)
    with pytest.raises(KeyFileError, match="is there twice"):
        change_keys(path, lambda entries: entries.append(add("A")))
    with pytest.raises(KeyFileError, match="must consist of one or more"):
        change_keys(path, list.clear)
    assert path.read_text() == CONTENT
    path.write_text("[[key")
    with pytest.raises(KeyFileError, match="Expected"):
        change_keys(path, list.clear)
    assert len([*path.parent.iterdir()]) == 3, "nothing temporary is left"


def test_key_file_behind_a_symbolic_link(path: Path, tmp_path: Path) -> None:
    """The link stays, and creds are relative to its folder, where the gateway reads it."""
    folder = tmp_path / "links"
    folder.mkdir()
    (folder / "ada.creds").touch()
    link = folder / "keys.toml"
    link.symlink_to(path)
    change_keys(link, lambda entries: entries.append(add("B")))
    assert link.is_symlink()
    assert len(load_keys(path)) == len(load_keys(link)) == 2
    assert is_writable(link)


def test_two_writers(path: Path) -> None:
    def write(name: str) -> None:
        for number in range(8):
            change_keys(path, lambda entries, n=number: entries.append(add(f"{name}{n}")))  # type: ignore[misc]

    writers = [threading.Thread(target=write, args=(name,)) for name in "XY"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(load_keys(path)) == 17


def test_writer_that_does_not_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "_LOCK_TIMEOUT", 0.0)
    with (
        locked_file(path.with_name(".keys.toml.lock"), "in use"),
        pytest.raises(BlockingIOError, match="is being changed"),
    ):
        change_keys(path, list.clear)


@settings(max_examples=20)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.text('a*?"\\\x7f\t')))
def test_any_values(tmp_path_factory: pytest.TempPathFactory, name: str, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    path.write_text('[[key]]\naccess_key = "A"\nsecret_key = "B"\n')
    change_keys(path, lambda entries: entries[0].update(name=name, buckets=texts, admin=True))
    (key,) = load_keys(path)
    assert (key.name, key.buckets, key.admin) == (name, tuple(texts), True)


def test_missing_file_is_not_writable(tmp_path: Path) -> None:
    assert not is_writable(tmp_path / "none" / "keys.toml")
