"""Reads and writes at the same time: a reader gets one object, all of it, or an error."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.s3_http import signed_headers

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

MIB = 1024 * 1024


class Body:
    """A file of one repeated byte. `interrupt` is called when half of it was read."""

    def __init__(self, size: int, byte: bytes, interrupt: Callable[[], object]) -> None:
        self._size, self._byte, self._interrupt = size, byte, interrupt
        self._position = 0
        self._interrupted = False

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset if whence == os.SEEK_SET else self._size + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = self._size - self._position
        size = left if size < 0 else min(size, left)
        self._position += size
        if self._position > self._size // 2 and not self._interrupted and size < left:
            self._interrupted = True
            self._interrupt()
        return self._byte * size


class Sink:
    """A file that checks that it gets one repeated byte. `interrupt` is called at the first."""

    def __init__(self, byte: bytes, interrupt: Callable[[], object]) -> None:
        self._byte, self._interrupt = byte, interrupt
        self.size = 0

    def write(self, data: bytes) -> int:
        if not self.size:
            self._interrupt()
        assert data == self._byte * len(data)
        self.size += len(data)
        return len(data)


@pytest.mark.parametrize("size", [MIB, 4 * MIB, 8 * MIB])
def test_overwrite_during_a_read(s3: Any, s3_bucket: str, size: int) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    s3.put_object(**target, Body=b"A" * size)
    sink = Sink(b"A", lambda: s3.put_object(**target, Body=b"B" * size))
    s3.download_fileobj(s3_bucket, "a", sink)
    assert sink.size == size
    assert s3.get_object(**target)["Body"].read() == b"B" * size


def test_read_during_an_overwrite(s3: Any, s3_bucket: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    s3.put_object(**target, Body=b"A" * MIB)
    seen = []
    body = Body(MIB, b"B", lambda: seen.append(s3.get_object(**target)["Body"].read()))
    s3.put_object(**target, Body=body)
    assert seen == [b"A" * MIB]
    assert s3.get_object(**target)["Body"].read() == b"B" * MIB


def test_overwrite_during_an_overwrite(s3: Any, s3_bucket: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    s3.put_object(**target, Body=Body(MIB, b"A", lambda: s3.put_object(**target, Body=b"B")))
    assert s3.get_object(**target)["Body"].read() == b"A" * MIB


def test_conditional_overwrite_during_another(s3: Any, s3_bucket: str) -> None:
    target = {"Bucket": s3_bucket, "Key": "a"}
    etag = s3.put_object(**target, Body=b"A" * MIB)["ETag"]
    body = Body(MIB, b"C", lambda: s3.put_object(**target, Body=b"B" * MIB, IfMatch=etag))
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**target, Body=body, IfMatch=etag)
    assert s3.get_object(**target)["Body"].read() == b"B" * MIB


def test_bucket_deleted_during_a_write(s3: Any, s3_bucket: str) -> None:
    body = Body(MIB, b"A", lambda: s3.delete_bucket(Bucket=s3_bucket))
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket=s3_bucket, Key="a", Body=body)


async def test_damaged_object(gateway: RunningGateway, s3: Any, s3_bucket: str, js: Any) -> None:
    """The connection is closed in the middle: the body never ends as if it were complete."""
    s3.put_object(Bucket=s3_bucket, Key="a", Body=os.urandom(3 * MIB))
    stream = f"OBJ_{s3_bucket}"
    info = await js.stream_info(stream, subjects_filter=f"$O.{s3_bucket}.C.>")
    (subject,) = info.state.subjects
    last = await js.get_last_msg(stream, subject)
    await js.delete_msg(stream, last.seq)
    await js.publish(subject, bytes(len(last.data)))
    with closing(http.client.HTTPConnection(gateway.host, gateway.port, timeout=20)) as connection:
        headers = signed_headers(gateway, "GET", f"/{s3_bucket}/a")
        connection.request("GET", f"/{s3_bucket}/a", headers=headers)
        response = connection.getresponse()
        assert (response.status, response.headers["content-length"]) == (200, str(3 * MIB))
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            response.read()
