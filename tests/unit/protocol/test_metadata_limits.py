"""The limits of metadata: how much of it is read, and that what is read can be written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from jetstow import ObjectInfo, ObjectMeta
from jetstow._core.protocol.metadata import (
    MAX_METADATA_SIZE,
    checked_meta,
    decode_info,
    encode_info,
)
from jetstow.errors import BadObjectMetaError, InvalidOptionError

WHOLE: dict[str, Any] = {"nuid": "abc", "size": 3, "chunks": 1, "digest": "SHA-256=x"}


def read(body: bytes | dict[str, Any]) -> ObjectInfo:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_info("b", "n", data, revision=7, mtime="2026-01-02T03:04:05Z")


def padded(body: dict[str, Any], size: int) -> bytes:
    data = json.dumps(body | {"x": ""}).encode()
    return data[:-2] + b"x" * (size - len(data)) + data[-2:]


def test_metadata_has_an_end() -> None:
    assert read(padded(WHOLE, MAX_METADATA_SIZE)).nuid == "abc"
    with pytest.raises(BadObjectMetaError, match=f"{MAX_METADATA_SIZE + 1} bytes"):
        read(padded(WHOLE, MAX_METADATA_SIZE + 1))


def test_what_is_wrong_is_said_in_a_few_words() -> None:
    """A nuid of a megabyte made a message of a megabyte, and a line of the log for each entry."""
    for body in (
        WHOLE | {"nuid": "x" * 500_000},
        WHOLE | {"headers": {"x" * 500_000: 7}},
        WHOLE | {"options": {"link": {"bucket": "x" * 500_000}}},
    ):
        with pytest.raises(BadObjectMetaError) as caught:
            read(body)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("inside", ["[", '{"a":'])
def test_what_is_read_can_be_written_however_it_is_nested(inside: str) -> None:
    """What was nested a little less deep than can be read could not be written again, or
    deleted: the recursion began further down."""
    end = "]" if inside == "[" else "}"
    for depth in (10, 60):
        info = read(f'{{"nuid":"a","x":{inside * depth}7{end * depth}}}'.encode())
        assert read(encode_info(info)).extra == info.extra
    for depth in (70, 500, 900, 100_000):
        with pytest.raises(BadObjectMetaError):
            read(f'{{"nuid":"a","x":{inside * depth}7{end * depth}}}'.encode())
        options = f'{{"y":{inside * depth}7{end * depth}}}'
        with pytest.raises(BadObjectMetaError):
            read(f'{{"nuid":"a","options":{options}}}'.encode())


def test_nobody_writes_what_nobody_reads() -> None:
    info = read(padded(WHOLE, MAX_METADATA_SIZE))
    with pytest.raises(InvalidOptionError, match="at most") as caught:
        encode_info(replace(info, description="x" * 1000))
    assert (caught.value.bucket, caught.value.name) == ("b", "n")


def test_a_delete_marker_always_fits() -> None:
    """Others' numbers may take three times the room when they are written again."""
    numbers = b",".join([b"1e9"] * 200_000)
    info = read(b'{"nuid":"a","chunks":2,"x":[' + numbers + b"]}")
    with pytest.raises(InvalidOptionError):
        encode_info(info)
    marker = read(encode_info(replace(info, deleted=True, chunks=0)))
    assert (marker.name, marker.nuid, marker.deleted, marker.extra) == ("n", "a", True, {})


@pytest.mark.parametrize(
    "meta",
    [
        ObjectMeta(description="x" * MAX_METADATA_SIZE),
        ObjectMeta(headers={"x": ["y" * (MAX_METADATA_SIZE // 4)] * 4}),
        ObjectMeta(metadata={"x" * MAX_METADATA_SIZE: "y"}),
    ],
    ids=["description", "headers", "metadata"],
)
def test_a_users_meta_has_an_end(meta: ObjectMeta) -> None:
    with pytest.raises(InvalidOptionError, match="at most") as caught:
        checked_meta("b", "n", meta)
    assert (caught.value.bucket, caught.value.name) == ("b", "n")
    assert len(str(caught.value)) < 200
