"""The size and depth limits of metadata: whatever can be decoded can be encoded."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from jetstow import ObjectInfo, ObjectMeta
from jetstow._core.protocol.metadata import (
    MAX_METADATA_SIZE,
    check_meta,
    decode_info,
    encode_info,
)
from jetstow.errors import BadObjectMetaError, InvalidOptionError

WHOLE: dict[str, Any] = {"nuid": "abc", "size": 3, "chunks": 1, "digest": "SHA-256=x"}


def decode(body: bytes | dict[str, Any]) -> ObjectInfo:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_info("b", "n", data, revision=7, mtime="2026-01-02T03:04:05Z")


def padded(body: dict[str, Any], size: int) -> bytes:
    data = json.dumps(body | {"x": ""}).encode()
    return data[:-2] + b"x" * (size - len(data)) + data[-2:]


def test_metadata_of_maximum_size() -> None:
    assert decode(padded(WHOLE, MAX_METADATA_SIZE)).nuid == "abc"
    with pytest.raises(BadObjectMetaError, match=f"{MAX_METADATA_SIZE + 1} bytes"):
        decode(padded(WHOLE, MAX_METADATA_SIZE + 1))


def test_error_message_is_short() -> None:
    """A NUID of a megabyte made an error message of a megabyte, for each entry of a listing."""
    for body in (
        WHOLE | {"nuid": "x" * 500_000},
        WHOLE | {"headers": {"x" * 500_000: 7}},
        WHOLE | {"options": {"link": {"bucket": "x" * 500_000}}},
    ):
        with pytest.raises(BadObjectMetaError) as caught:
            decode(body)
        assert len(str(caught.value)) < 300


@pytest.mark.parametrize("inside", ["[", '{"a":'])
def test_nested_json_is_encoded_again_or_raises(inside: str) -> None:
    """JSON just below the decoder's limit of depth could not be encoded again, so that the object
    could not be deleted."""
    end = "]" if inside == "[" else "}"
    for depth in (10, 60):
        info = decode(f'{{"nuid":"a","x":{inside * depth}7{end * depth}}}'.encode())
        assert decode(encode_info(info)).extra == info.extra
    for depth in (70, 500, 900, 100_000):
        with pytest.raises(BadObjectMetaError):
            decode(f'{{"nuid":"a","x":{inside * depth}7{end * depth}}}'.encode())
        options = f'{{"y":{inside * depth}7{end * depth}}}'
        with pytest.raises(BadObjectMetaError):
            decode(f'{{"nuid":"a","options":{options}}}'.encode())


def test_encoding_above_maximum_size_raises() -> None:
    info = decode(padded(WHOLE, MAX_METADATA_SIZE))
    with pytest.raises(InvalidOptionError, match="at most") as caught:
        encode_info(replace(info, description="x" * 1000))
    assert (caught.value.bucket, caught.value.name) == ("b", "n")


def test_delete_marker_drops_large_fields() -> None:
    """Numbers of other clients may take three times their size when they are encoded again."""
    numbers = b",".join([b"1e9"] * 200_000)
    info = decode(b'{"nuid":"a","chunks":2,"x":[' + numbers + b"]}")
    with pytest.raises(InvalidOptionError):
        encode_info(info)
    marker = decode(encode_info(replace(info, deleted=True, chunks=0)))
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
def test_user_metadata_above_limit_raises(meta: ObjectMeta) -> None:
    with pytest.raises(InvalidOptionError, match="at most") as caught:
        check_meta("b", "n", meta)
    assert (caught.value.bucket, caught.value.name) == ("b", "n")
    assert len(str(caught.value)) < 200
