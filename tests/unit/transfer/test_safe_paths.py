"""Paths of an archive: harmless to whoever unpacks it, and as many as there are names."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jetstow._transfer.archive.safe_paths import Paths


def paths(*names: str) -> list[str]:
    found = Paths(names)
    return [found.path(name) for name in names]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a", "a"),
        ("folder/file.txt", "folder/file.txt"),
        ("with a space", "with a space"),
        ("目录/ü", "目录/ü"),
        ("/etc/passwd", "%/etc/passwd"),
        ("..", ".%2E"),
        ("../../x", ".%2E/.%2E/x"),
        (".", "%2E"),
        ("a//b", "a/%/b"),
        ("a/", "a/%"),
        ("C:\\x", "C%3A%5Cx"),
        ("50%", "50%25"),
        ("a\0b\n", "a%00b%0A"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}", "%E2%80%AE"),
        ("end.", "end%2E"),
        ("-rf", "-rf"),
    ],
)
def test_what_is_hostile_is_escaped(name: str, path: str) -> None:
    assert paths(name) == [path]


def test_an_object_beside_a_folder_of_its_name() -> None:
    assert paths("a", "a/b", "a/b/c", "x/", "x//y") == ["a%", "a/b%", "a/b/c", "x/%%", "x/%/y"]


def test_what_is_too_long_for_a_file_system() -> None:
    part, whole = paths("a" * 300, "/".join(["b" * 100] * 20))
    assert part.startswith("a" * 64 + "%~")
    assert whole.startswith("%~")
    first, second = paths("ü" * 200, "ü" * 199 + "u")
    assert first != second


NAMES = st.lists(
    st.one_of(
        st.text(alphabet="a/.%~\\:\0 ü", min_size=1, max_size=8),
        st.text(min_size=1, max_size=400),
        st.builds("/".join, st.lists(st.sampled_from(["a", "b" * 190, "", "%"]), min_size=2)),
    ).filter(lambda name: name and name.encode(errors="replace").decode() == name),
    unique=True,
)


@given(NAMES)
@example(["%", "/", "//", "", "a"])
def test_any_names_can_be_unpacked_together(names: list[str]) -> None:
    found = paths(*(name for name in names if name))
    assert len(set(found)) == len(found)
    folders = {str(folder) for path in found for folder in PurePosixPath(path).parents}
    assert not folders & set(found)
    for path in found:
        assert len(path.encode()) <= 1000
        assert path.isprintable()
        assert not PureWindowsPath(path).drive
        for part in path.split("/"):
            assert part not in {"", ".", ".."}
            assert len(part.encode()) < 256
            assert "\\" not in part
