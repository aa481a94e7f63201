"""Metadata that broken and malicious clients write, and the read verbs of a store."""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import jetstow
from jetstow.errors import JetstowError

MAX_ERROR_LENGTH = 4_000
MIB = 1024 * 1024
FIELDS = ("name", "description", "headers", "metadata", "options", "bucket", "nuid", "size",
          "chunks", "digest", "deleted")  # fmt: skip
TYPES = {"nothing": "null", "truth": "true", "number": "7", "negative": "-1", "half": "1.5",
         "text": '"x"', "list": "[7]", "mapping": '{"a": 7}', "2**63": str(2**63),
         "2**64": str(2**64), "10**400": str(10**400), "1e308": "1e308", "1e999": "1e999",
         "NaN": "NaN", "-Infinity": "-Infinity", "deep": "[" * 10_000 + "]" * 10_000,
         "open": "[" * 10_000, "half a pair": '"\\ud800"', "no UTF-8": '"\udcff"'}  # fmt: skip
NUIDS = (">", "*", "", " ", "a.b", "a.>", "*.a", "a b", "a\n", "a\r\nPUB x 1\r\n", "\x00",
         "x" * 129, "ä", "C.>", "../x")  # fmt: skip


def with_raw_field(body: dict[str, Any], field: str, value: str) -> bytes:
    """Return metadata in which one field is this literal text, valid JSON or not."""
    rest = json.dumps({key: other for key, other in body.items() if key != field})
    return f'{{"{field}": {value}, {rest[1:]}'.encode(errors="surrogateescape")


def unreadable_metadata(body: dict[str, Any]) -> dict[str, bytes]:
    """Return metadata that no client can read, by the kind of its defect."""
    result = {
        "no bytes": b"",
        "a list": b"[]",
        "no object": b"7",
        "bytes": bytes(range(256)),
        "too large": json.dumps(body | {"x": "y" * MIB}).encode()[: MIB - 200],
        "no nuid": json.dumps({k: v for k, v in body.items() if k != "nuid"}).encode(),
        "deep elsewhere": with_raw_field(body, "x", TYPES["deep"]),
        "rather deep": with_raw_field(body, "x", "[" * 500 + "]" * 500),
        "half a pair elsewhere": with_raw_field(body, "x", TYPES["half a pair"]),
        "two nuids": with_raw_field(body, "nuid", '"fine", "nuid": ">"'),
        "nuid for a long message": with_raw_field(body, "nuid", f'"{"x" * 500_000}"'),
        "link of a list": json.dumps(body | {"options": {"link": []}}).encode(),
        "link to all": json.dumps(body | {"options": {"link": {"bucket": ">"}}}).encode(),
        "link with spaces": json.dumps(body | {"options": {"link": {"bucket": "a b"}}}).encode(),
        "link and wildcard": json.dumps(
            body | {"nuid": ">", "options": {"link": {"bucket": "b"}}}
        ).encode(),
        "deleted wildcard": json.dumps(
            body | {"nuid": ">", "deleted": True, "options": {"link": {"bucket": "b"}}}
        ).encode(),
        "deleted link without a nuid": json.dumps(
            body | {"nuid": "", "deleted": True, "options": {"link": {"bucket": "b"}}}
        ).encode(),
    }
    for nuid in NUIDS:
        result[f"nuid {nuid!r}"] = json.dumps(body | {"nuid": nuid}).encode()
    for field in FIELDS:
        for kind in ("1e999", "NaN", "-Infinity", "deep", "open", "half a pair", "no UTF-8"):
            result[f"{field} is {kind}"] = with_raw_field(body, field, TYPES[kind])
    for field in ("size", "chunks"):
        for kind in ("negative", "half", "text", "list", "mapping", "2**63", "10**400", "1e308"):
            result[f"{field} is {kind}"] = with_raw_field(body, field, TYPES[kind])
    for field in ("description", "digest", "nuid"):
        for kind in ("truth", "number", "list", "mapping", "10**400", "1e308"):
            result[f"{field} is {kind}"] = with_raw_field(body, field, TYPES[kind])
    for field in ("headers", "metadata", "options"):
        for kind in ("truth", "number", "text", "list", "2**64"):
            result[f"{field} is {kind}"] = with_raw_field(body, field, TYPES[kind])
    for kind in ("number", "text", "list", "mapping"):
        result[f"deleted is {kind}"] = with_raw_field(body, "deleted", TYPES[kind])
        size = with_raw_field(body, "options", f'{{"max_chunk_size": {TYPES[kind]}}}')
        if kind != "number":
            result[f"max_chunk_size is {kind}"] = size
    return result


def unusual_metadata(body: dict[str, Any]) -> dict[str, bytes]:
    """Return metadata that is unusual but valid, by the kind of its peculiarity."""
    return {
        "another name": json.dumps(body | {"name": "victim", "bucket": "elsewhere"}).encode(),
        "twice": with_raw_field(body, "size", '1, "size": 40'),
        "chunk size 0": json.dumps(body | {"options": {"max_chunk_size": 0}}).encode(),
        "chunk size 1": json.dumps(body | {"options": {"max_chunk_size": 1}}).encode(),
        "chunk size 2**63 - 1": with_raw_field(
            body, "options", f'{{"max_chunk_size": {2**63 - 1}}}'
        ),
        "no options": with_raw_field(body, "options", '{"link": null, "max_chunk_size": null}'),
        "huge elsewhere": with_raw_field(body, "x", f"[{10**400}, {2**64}, 1e308, -0.0]"),
        "lines in headers": json.dumps(
            body | {"headers": {"A\r\nNats-Rollup": ["all\r\n\r\nPUB x 1"], "\x00": "\x1b[2J"}}
        ).encode(),
        "an hour long": json.dumps(body | {"description": "x" * 500_000}).encode(),
        **{
            f"{field} missing": json.dumps({k: v for k, v in body.items() if k != field}).encode()
            for field in ("name", "bucket", "digest")
        },
    }


# Of `get(into=)`: more than any object of the tests.
BUFFER_SIZE = 4_000_000


class Verbs:
    """The read verbs of a store, for one object name."""

    def __init__(self, store: jetstow.ObjectStore, name: str) -> None:
        self.store = store
        self.name = name

    async def stream(self) -> bytes:
        return b"".join([chunk async for chunk in self.store.stream(self.name)])

    async def open(self) -> bytes:
        async with self.store.open(self.name) as file:
            await file.seek(3)
            late = await file.read(5)
            await file.seek(0)
            data = await file.read()
        assert data[3:8] == late
        return data

    async def get_into_file(self) -> bytes:
        into = io.BytesIO()
        await self.store.get(self.name, into)
        return into.getvalue()

    async def get_into_buffer(self) -> bytes:
        buffer = bytearray(BUFFER_SIZE)
        result = await self.store.get(self.name, into=buffer)
        return bytes(buffer[: result.info.size])

    async def get(self) -> bytes:
        return (await self.store.get(self.name)).data

    async def get_range(self) -> bytes:
        return await self.store.get_range(self.name, 0)

    async def get_with_show_deleted(self) -> bytes:
        return (await self.store.get(self.name, show_deleted=True)).data

    @property
    def reads(self) -> list[Callable[[], Awaitable[bytes]]]:
        return [
            self.get,
            self.get_into_buffer,
            self.get_into_file,
            self.get_range,
            self.stream,
            self.open,
            self.get_with_show_deleted,
        ]

    @property
    def reads_and_lookups(self) -> list[Callable[[], Awaitable[object]]]:
        return [
            lambda: self.store.get_info(self.name),
            lambda: self.store.add_link("a new link", self.name),
            *self.reads,
        ]


async def raised_error(
    verb: Callable[[], Awaitable[object]], store: Any, name: str
) -> JetstowError:
    """Return the error that a verb raises. It must name the bucket and the object."""
    with pytest.raises(JetstowError) as caught:
        await verb()
    error = caught.value
    assert (error.bucket, error.name) == (store.bucket, name), (name, error)
    assert f"object {name!r} in bucket {store.bucket!r}" in str(error)
    assert len(str(error)) < MAX_ERROR_LENGTH, name
    return error
