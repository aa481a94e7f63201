"""The headers of encrypted objects and links: only the key makes valid ones."""

from __future__ import annotations

import re

import pytest

from jetstow._core.protocol.cipher import Identity, Key, Layout
from jetstow._core.protocol.encryption_header import (
    encryption_header,
    header_layout,
    is_link_signed,
    link_header,
    stated_chunk_size,
)
from jetstow._headers import ENCRYPTION_HEADER, LINK_TAG_HEADER
from jetstow.models import ObjectLink

KEY = Key(bytes(range(32)))
NAME = Identity("bucket", "ä/b")
LAYOUT = Layout(131_072, 600_000, bytes(range(24)))
HEADER = encryption_header(KEY, NAME, LAYOUT)
VALUE = HEADER[ENCRYPTION_HEADER]
LINK = ObjectLink(bucket="bucket", name="target")


def test_round_trip() -> None:
    assert header_layout(KEY, [NAME], HEADER) == LAYOUT
    assert header_layout(KEY, [Identity("x", "y"), NAME], HEADER) == LAYOUT
    assert stated_chunk_size(HEADER) == 131_072
    assert VALUE.startswith("AES-256-GCM; chunk=131072; size=600000; salt=")


@pytest.mark.parametrize("position", range(len(VALUE)))
def test_changed_character(position: int) -> None:
    other = "1" if VALUE[position] != "1" else "2"
    changed = VALUE[:position] + other + VALUE[position + 1 :]
    assert header_layout(KEY, [NAME], {ENCRYPTION_HEADER: [changed]}) is None


@pytest.mark.parametrize(
    "headers",
    [
        None, {}, {ENCRYPTION_HEADER: []}, {ENCRYPTION_HEADER: [""]},
        {ENCRYPTION_HEADER: ["AES-256-GCM; chunk=131072"]}, {ENCRYPTION_HEADER: [VALUE + "x"]},
        {ENCRYPTION_HEADER: [re.sub("size=6", "size=٦", VALUE)]},
        {ENCRYPTION_HEADER: [re.sub("chunk=131072", "chunk=999999999", VALUE)]},
    ],
)  # fmt: skip
def test_other_headers(headers: dict[str, list[str]] | None) -> None:
    assert header_layout(KEY, [NAME], headers) is None
    assert stated_chunk_size(headers) >= 1024


@pytest.mark.parametrize("name", [("bucket", "a"), ("bucketä", "/b"), ("other", "ä/b")])
def test_other_name_or_key(name: tuple[str, str]) -> None:
    assert header_layout(KEY, [Identity(*name)], HEADER) is None
    assert header_layout(KEY, [], HEADER) is None
    assert header_layout(Key(bytes(32)), [NAME], HEADER) is None


def test_link() -> None:
    headers = link_header(KEY, NAME, LINK)
    assert is_link_signed(KEY, "bucket", [NAME], LINK, headers)
    other_links = [ObjectLink("bucket", "x"), ObjectLink("x", "target"), ObjectLink("bucket")]
    for other in other_links:
        assert not is_link_signed(KEY, "bucket", [NAME], other, headers)
    assert not is_link_signed(KEY, "bucket", [Identity("bucket", "b")], LINK, headers)
    assert not is_link_signed(Key(bytes(32)), "bucket", [NAME], LINK, headers)
    for forged in (None, {}, {LINK_TAG_HEADER: ["x"]}, {LINK_TAG_HEADER: ["A" * 32]}):
        assert not is_link_signed(KEY, "bucket", [NAME], LINK, forged)


def test_link_in_a_mirror() -> None:
    """`mirror` changes links within the source to links within the target."""
    headers = link_header(KEY, NAME, LINK)
    names = [Identity("mirror", NAME.name), NAME]
    assert is_link_signed(KEY, "mirror", names, ObjectLink("mirror", "target"), headers)
    assert is_link_signed(KEY, "mirror", names, LINK, headers)
    assert not is_link_signed(KEY, "mirror", names[:1], ObjectLink("mirror", "target"), headers)


def test_object_header_is_no_link_header() -> None:
    tag = VALUE.rpartition("tag=")[2]
    assert not is_link_signed(KEY, "bucket", [NAME], LINK, {LINK_TAG_HEADER: [tag]})
