"""Archive paths of object names: safe to unpack, and distinct."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jetstow._transfer.archive.safe_paths import SafePaths


def paths(*names: str) -> list[str]:
    safe_paths = SafePaths(names)
    return [safe_paths.path(name) for name in names]


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
def test_unsafe_characters_are_escaped(name: str, path: str) -> None:
    assert paths(name) == [path]


def test_object_with_the_name_of_a_folder() -> None:
    assert paths("a", "a/b", "a/b/c", "x/", "x//y") == ["a%", "a/b%", "a/b/c", "x/%%", "x/%/y"]


def test_names_too_long_for_a_file_system() -> None:
    long_level, long_path = paths("a" * 300, "/".join(["b" * 100] * 20))
    assert long_level.startswith("a" * 64 + "%~")
    assert long_path.startswith("%~")
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
def test_paths_of_any_names_are_safe_and_distinct(names: list[str]) -> None:
    results = paths(*(name for name in names if name))
    assert len(set(results)) == len(results)
    folders = {str(folder) for path in results for folder in PurePosixPath(path).parents}
    assert not folders & set(results)
    for path in results:
        assert len(path.encode()) <= 1000
        assert path.isprintable()
        assert not PureWindowsPath(path).drive
        for level in path.split("/"):
            assert level not in {"", ".", ".."}
            assert len(level.encode()) < 256
            assert "\\" not in level
