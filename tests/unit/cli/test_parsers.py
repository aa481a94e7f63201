"""What users type for objects, sizes, times and notes."""

from __future__ import annotations

import pytest

from jetstow.cli import parsers
from jetstow.cli.errors import WrongUsage
from jetstow.cli.parsers import Address


@pytest.mark.parametrize(
    ("text", "bucket", "name", "base"),
    [
        ("b", "b", "", ""),
        ("b/", "b", "", ""),
        ("b/a.txt", "b", "a.txt", "a.txt"),
        ("b/folder/a.txt", "b", "folder/a.txt", "a.txt"),
        ("b/folder/", "b", "folder/", ""),
        ("b//a", "b", "/a", "a"),
        ("b/../../a", "b", "../../a", "a"),
        ("b/a/..", "b", "a/..", ""),
        ("b/.", "b", ".", ""),
        ("b/a\0", "b", "a\0", ""),
        ("b/目录/文件", "b", "目录/文件", "文件"),
    ],
)
def test_an_address(text: str, bucket: str, name: str, base: str) -> None:
    address = parsers.address(text)
    assert (address.bucket, address.name, address.base) == (bucket, name, base)


def test_a_name_with_control_characters_names_no_file() -> None:
    for name in ("a\nb", "\x1b[2J", "a\x7f", "a\x9b", "..", "folder/"):
        assert Address("b", name).file_name == ""
    assert Address("b", "../f/a b\u200d").file_name == "a b\u200d"


def test_an_address_is_written_as_it_is_read() -> None:
    assert str(Address("b")) == "b"
    assert str(Address("b", "a/c")) == "b/a/c"


def test_a_place_takes_a_name_and_an_object_does_not() -> None:
    assert Address("b").under("x") == Address("b", "x")
    assert Address("b", "f/").under("x") == Address("b", "f/x")
    assert Address("b", "f").under("x") == Address("b", "f")


@pytest.mark.parametrize("text", ["", "/", "/a"])
def test_an_address_without_a_bucket(text: str) -> None:
    with pytest.raises(WrongUsage, match="no bucket"):
        parsers.address(text)


def test_an_object_has_a_name_and_a_bucket_has_none() -> None:
    with pytest.raises(WrongUsage, match="names no object"):
        parsers.object_address("b/")
    with pytest.raises(WrongUsage, match="an object's address"):
        parsers.bucket_name("b/a")
    assert parsers.bucket_name("b/") == "b"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1000", 1000),
        ("512K", 512 * 1024),
        ("512k", 512 * 1024),
        ("512KiB", 512 * 1024),
        ("1.5M", 3 * 512 * 1024),
        ("10GB", 10**10),
        ("2 GiB", 2 << 30),
        ("1T", 1 << 40),
        ("12B", 12),
    ],
)
def test_a_size(text: str, size: int) -> None:
    assert parsers.size(text) == size


@pytest.mark.parametrize("text", ["", "K", "-1", "1X", "1iB", "0x10", "1 2", "²K"])
def test_no_size(text: str) -> None:
    with pytest.raises(WrongUsage, match="no size"):
        parsers.size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("2.5", 2.5), ("12h", 43200), ("30d", 2592000), ("1h30m", 5400), ("200ms", 0.2)],
)
def test_a_time(text: str, seconds: float) -> None:
    assert parsers.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1y", "h", "1h 30m", "1h,30m"])
def test_no_time(text: str) -> None:
    with pytest.raises(WrongUsage, match="no time"):
        parsers.duration(text)


def test_a_whole_number() -> None:
    assert parsers.whole("17") == 17
    for text in ("", "-1", "1.5", "x", "²"):
        with pytest.raises(WrongUsage, match="no whole number"):
            parsers.whole(text)


def test_notes_keep_the_last_value_and_lists_keep_all() -> None:
    pairs = ["a=1", "b=x=y", "a=2", "c="]
    assert parsers.notes("--metadata", pairs) == {"a": "2", "b": "x=y", "c": ""}
    assert parsers.lists("--header", pairs) == {"a": ["1", "2"], "b": ["x=y"], "c": [""]}
    assert parsers.notes("--metadata", None) is None


@pytest.mark.parametrize("pair", ["", "a", "=1"])
def test_a_note_needs_a_key_and_a_value(pair: str) -> None:
    with pytest.raises(WrongUsage, match="--metadata takes KEY=VALUE"):
        parsers.notes("--metadata", [pair])
