"""minio-py: objects, multipart uploads, lists, tags, presigned URLs, POST policies."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.gateway import OWNER, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.gateway import RunningGateway


@pytest.fixture
def minio(gateway: RunningGateway) -> Iterator[Any]:
    import urllib3
    from minio import Minio

    with urllib3.PoolManager() as pool:
        yield Minio(
            f"{gateway.host}:{gateway.port}", access_key=OWNER.access_key,
            secret_key=OWNER.secret_key, secure=False, region=REGION, http_client=pool,
        )  # fmt: skip


def test_minio_objects(minio: Any, bucket: str) -> None:
    from minio.commonconfig import CopySource, Tags
    from minio.deleteobjects import DeleteObject

    minio.make_bucket(bucket)
    assert minio.bucket_exists(bucket)
    put = minio.put_object(bucket, "d/a b", io.BytesIO(b"hello"), 5, metadata={"colour": "red"})
    stat = minio.stat_object(bucket, "d/a b")
    assert (stat.etag, stat.size) == (put.etag, 5)
    assert stat.metadata["x-amz-meta-colour"] == "red"
    with minio.get_object(bucket, "d/a b", offset=1, length=3) as response:
        assert response.read() == b"ell"
    large = os.urandom(11 * 1024 * 1024)
    minio.put_object(bucket, "large", io.BytesIO(large), -1, part_size=5 * 1024 * 1024)
    with minio.get_object(bucket, "large") as response:
        assert response.read() == large
    minio.copy_object(bucket, "d/copy", CopySource(bucket, "large"))
    assert {item.object_name for item in minio.list_objects(bucket)} == {"d/", "large"}
    listed = list(minio.list_objects(bucket, recursive=True))
    assert [(item.object_name, item.size) for item in listed] == [
        ("d/a b", 5), ("d/copy", len(large)), ("large", len(large)),
    ]  # fmt: skip
    tags = Tags.new_object_tags()
    tags["project"] = "x y"
    minio.set_object_tags(bucket, "large", tags)
    assert minio.get_object_tags(bucket, "large") == {"project": "x y"}
    names = [DeleteObject(item.object_name) for item in listed]
    assert list(minio.remove_objects(bucket, names)) == []
    minio.remove_bucket(bucket)
    assert not minio.bucket_exists(bucket)


def test_minio_compose(minio: Any, s3_bucket: str) -> None:
    from minio.commonconfig import ComposeSource

    halves = [os.urandom(5 * 1024 * 1024), b"end"]
    for number, half in enumerate(halves):
        minio.put_object(s3_bucket, f"{number}", io.BytesIO(half), len(half))
    sources = [ComposeSource(s3_bucket, f"{number}") for number in range(2)]
    minio.compose_object(s3_bucket, "whole", sources)
    with minio.get_object(s3_bucket, "whole") as response:
        assert response.read() == b"".join(halves)


def test_minio_presigned(minio: Any, s3_bucket: str, gateway: RunningGateway) -> None:
    from minio.datatypes import PostPolicy

    url = minio.presigned_put_object(s3_bucket, "a", expires=timedelta(minutes=1))
    assert httpx.put(url, content=b"hello").status_code == 200
    assert httpx.get(minio.presigned_get_object(s3_bucket, "a")).content == b"hello"
    policy = PostPolicy(s3_bucket, datetime.now(UTC) + timedelta(minutes=1))
    policy.add_starts_with_condition("key", "forms/")
    policy.add_content_length_range_condition(1, 10)
    form = minio.presigned_post_policy(policy) | {"key": "forms/b"}
    answer = httpx.post(f"{gateway.url}/{s3_bucket}", data=form, files={"file": b"posted"})
    assert answer.status_code == 204, answer.text
    assert minio.stat_object(s3_bucket, "forms/b").size == 6
