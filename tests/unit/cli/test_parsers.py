"""Parsers of addresses, sizes, times, numbers and key-value pairs."""

from __future__ import annotations

import pytest

from jetstow.cli import parsers
from jetstow.cli.errors import UsageError
from jetstow.cli.parsers import Address


@pytest.mark.parametrize(
    ("text", "bucket", "name", "basename"),
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
def test_address(text: str, bucket: str, name: str, basename: str) -> None:
    address = parsers.address(text)
    assert (address.bucket, address.name, address.basename) == (bucket, name, basename)


def test_file_name_with_control_characters() -> None:
    for name in ("a\nb", "\x1b[2J", "a\x7f", "a\x9b", "..", "folder/"):
        assert Address("b", name).file_name == ""
    assert Address("b", "../f/a b\u200d").file_name == "a b\u200d"


def test_address_as_text() -> None:
    assert str(Address("b")) == "b"
    assert str(Address("b", "a/c")) == "b/a/c"


def test_join_with_a_folder_and_an_object() -> None:
    assert Address("b").join("x") == Address("b", "x")
    assert Address("b", "f/").join("x") == Address("b", "f/x")
    assert Address("b", "f").join("x") == Address("b", "f")


@pytest.mark.parametrize("text", ["", "/", "/a"])
def test_address_without_a_bucket(text: str) -> None:
    with pytest.raises(UsageError, match="does not start with a bucket"):
        parsers.address(text)


def test_object_without_a_name_and_bucket_with_one() -> None:
    with pytest.raises(UsageError, match="'b/' names no object: use BUCKET/NAME"):
        parsers.object_address("b/")
    with pytest.raises(UsageError, match="'b/a' names no bucket: use BUCKET"):
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
def test_size(text: str, size: int) -> None:
    assert parsers.size(text) == size


@pytest.mark.parametrize("text", ["", "K", "-1", "1X", "1iB", "0x10", "1 2", "²K"])
def test_invalid_size(text: str) -> None:
    with pytest.raises(UsageError, match="is not a size"):
        parsers.size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("2.5", 2.5), ("12h", 43200), ("30d", 2592000), ("1h30m", 5400), ("200ms", 0.2)],
)
def test_duration(text: str, seconds: float) -> None:
    assert parsers.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1y", "h", "1h 30m", "1h,30m"])
def test_invalid_duration(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parsers.duration(text)


def test_whole_number() -> None:
    assert parsers.whole_number("17") == 17
    for text in ("", "-1", "1.5", "x", "²"):
        with pytest.raises(UsageError, match="is not a whole number"):
            parsers.whole_number(text)


def test_repeated_keys() -> None:
    pairs = ["a=1", "b=x=y", "a=2", "c="]
    assert parsers.key_values("--metadata", pairs) == {"a": "2", "b": "x=y", "c": ""}
    assert parsers.key_value_lists("--header", pairs) == {
        "a": ["1", "2"],
        "b": ["x=y"],
        "c": [""],
    }
    assert parsers.key_values("--metadata", None) is None


@pytest.mark.parametrize("pair", ["", "a", "=1"])
def test_pair_without_key_or_equals_sign(pair: str) -> None:
    with pytest.raises(UsageError, match="--metadata takes KEY=VALUE"):
        parsers.key_values("--metadata", [pair])
