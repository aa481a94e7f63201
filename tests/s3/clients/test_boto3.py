"""boto3: client, transfer manager, presigned URLs, waiters, over http and https."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError, WaiterError

from tests.support.certs import Certificates, make_certificates
from tests.support.gateway import OWNER, REGION, RunningGateway, new_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import NatsServer

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def https_gateway(server: NatsServer, certificates: Certificates) -> Iterator[RunningGateway]:
    from jetstow.s3.server import Certificate

    certificate = Certificate(certificates.server, certificates.server_key)
    with RunningGateway(server.url, certificate=certificate) as running:
        yield running


@pytest.fixture(params=["http", "https"])
def client(
    request: pytest.FixtureRequest,
    gateway: RunningGateway,
    https_gateway: RunningGateway,
    certificates: Certificates,
) -> Any:
    """A boto3 client. It sends and signs bodies differently over https."""
    if request.param == "http":
        return gateway.client()
    return new_client(https_gateway.url, verify=str(certificates.authority))


@pytest.mark.parametrize("size", [0, 1, 70_000, MIB])
def test_object(client: Any, s3_bucket: str, size: int) -> None:
    data = os.urandom(size)
    tag = f'"{hashlib.md5(data).hexdigest()}"'
    put = client.put_object(
        Bucket=s3_bucket, Key="dir/größe +&=?", Body=data, ContentType="text/x-test",
        CacheControl="no-cache", Metadata={"Name": "value", "empty": ""},
    )  # fmt: skip
    assert put["ETag"] == tag
    got = client.get_object(Bucket=s3_bucket, Key="dir/größe +&=?", ChecksumMode="ENABLED")
    assert got["Body"].read() == data
    assert (got["ETag"], got["ContentType"]) == (tag, "text/x-test")
    assert got["CacheControl"] == "no-cache"
    assert got["Metadata"] == {"name": "value", "empty": ""}
    assert got["ChecksumCRC32"] == put["ChecksumCRC32"]
    (listed,) = client.list_objects_v2(Bucket=s3_bucket, Prefix="dir/")["Contents"]
    assert (listed["Key"], listed["Size"], listed["ETag"]) == ("dir/größe +&=?", size, tag)
    assert listed["LastModified"].replace(microsecond=0) == got["LastModified"]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksum(client: Any, s3_bucket: str, algorithm: str) -> None:
    put = client.put_object(
        Bucket=s3_bucket, Key="a", Body=io.BytesIO(b"hello" * 50_000), ChecksumAlgorithm=algorithm
    )
    head = client.head_object(Bucket=s3_bucket, Key="a", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    got = client.get_object(Bucket=s3_bucket, Key="a", ChecksumMode="ENABLED")
    assert got["Body"].read() == b"hello" * 50_000
    plain = client.head_object(Bucket=s3_bucket, Key="a")
    assert f"Checksum{algorithm}" not in plain


def test_transfer_manager(client: Any, s3_bucket: str) -> None:
    data = os.urandom(21 * MIB + 3)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    sent: list[int] = []
    client.upload_fileobj(
        io.BytesIO(data), s3_bucket, "large", ExtraArgs={"Metadata": {"a": "b"}},
        Callback=sent.append, Config=config,
    )  # fmt: skip
    assert sum(sent) == len(data)
    head = client.head_object(Bucket=s3_bucket, Key="large")
    assert (head["ContentLength"], head["Metadata"]) == (len(data), {"a": "b"})
    parts = [hashlib.md5(data[i : i + 5 * MIB]).digest() for i in range(0, len(data), 5 * MIB)]
    assert head["ETag"] == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-5"'
    received = io.BytesIO()
    client.download_fileobj(s3_bucket, "large", received, Config=config)
    assert received.getvalue() == data
    client.copy({"Bucket": s3_bucket, "Key": "large"}, s3_bucket, "copy", Config=config)
    assert client.get_object(Bucket=s3_bucket, Key="copy")["Body"].read() == data


def test_presigned_urls(client: Any, s3_bucket: str, certificates: Certificates) -> None:
    params = {"Bucket": s3_bucket, "Key": "a b/ü"}
    with httpx.Client(verify=certificates.client_context()) as web:
        put = client.generate_presigned_url(
            "put_object", Params={**params, "ContentType": "text/plain"}
        )
        answer = web.put(put, content=b"hello", headers={"Content-Type": "text/plain"})
        assert answer.status_code == 200, answer.text
        get = client.generate_presigned_url(
            "get_object", Params={**params, "ResponseContentDisposition": "attachment"}
        )
        answer = web.get(get)
        assert (answer.content, answer.headers["content-type"]) == (b"hello", "text/plain")
        assert answer.headers["content-disposition"] == "attachment"
        head = client.generate_presigned_url("head_object", Params=params)
        assert web.head(head).headers["content-length"] == "5"
        assert web.get(head).status_code == 403, "a URL is for one method"
        deletion = client.generate_presigned_url("delete_object", Params=params)
        assert web.delete(deletion).status_code == 204
        assert web.get(get).status_code == 404


def test_presigned_post(client: Any, s3_bucket: str, certificates: Certificates) -> None:
    post = client.generate_presigned_post(
        s3_bucket, "forms/${filename}", Fields={"acl": "private"},
        Conditions=[{"acl": "private"}, ["content-length-range", 1, 10]],
    )  # fmt: skip
    with httpx.Client(verify=certificates.client_context()) as web:
        answer = web.post(post["url"], data=post["fields"], files={"file": ("a.txt", b"hello")})
        assert answer.status_code == 204, answer.text
        answer = web.post(post["url"], data=post["fields"], files={"file": ("b.txt", bytes(11))})
        assert answer.status_code == 400
        assert "<Code>EntityTooLarge</Code>" in answer.text
    got = client.get_object(Bucket=s3_bucket, Key="forms/a.txt")
    assert got["Body"].read() == b"hello"


def test_waiters(client: Any, bucket: str) -> None:
    once = {"Delay": 1, "MaxAttempts": 1}
    client.create_bucket(Bucket=bucket)
    client.get_waiter("bucket_exists").wait(Bucket=bucket, WaiterConfig=once)
    client.get_waiter("object_not_exists").wait(Bucket=bucket, Key="a", WaiterConfig=once)
    with pytest.raises(WaiterError):
        client.get_waiter("object_exists").wait(Bucket=bucket, Key="a", WaiterConfig=once)
    client.put_object(Bucket=bucket, Key="a")
    client.get_waiter("object_exists").wait(Bucket=bucket, Key="a", WaiterConfig=once)
    client.delete_object(Bucket=bucket, Key="a")
    client.delete_bucket(Bucket=bucket)
    client.get_waiter("bucket_not_exists").wait(Bucket=bucket, WaiterConfig=once)


def test_paginators(client: Any, s3_bucket: str) -> None:
    names = [f"{folder}/{number}" for folder in "abc" for number in range(4)]
    for name in names:
        client.put_object(Bucket=s3_bucket, Key=name)
    for operation in ("list_objects", "list_objects_v2"):
        paginator = client.get_paginator(operation)
        pages = list(paginator.paginate(Bucket=s3_bucket, PaginationConfig={"PageSize": 5}))
        assert [item["Key"] for page in pages for item in page["Contents"]] == names
        assert [len(page["Contents"]) for page in pages] == [5, 5, 2]
        found = paginator.paginate(
            Bucket=s3_bucket, Delimiter="/", PaginationConfig={"PageSize": 1}
        ).search("CommonPrefixes[].Prefix")
        assert list(found) == ["a/", "b/", "c/"]
    deleted = client.delete_objects(
        Bucket=s3_bucket, Delete={"Objects": [{"Key": name} for name in names]}
    )
    assert sorted(item["Key"] for item in deleted["Deleted"]) == names
    assert client.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


def test_conditional_put(client: Any, s3_bucket: str) -> None:
    put = client.put_object(Bucket=s3_bucket, Key="a", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=s3_bucket, Key="a", Body=b"2", IfNoneMatch="*")
    client.put_object(Bucket=s3_bucket, Key="a", Body=b"3", IfMatch=put["ETag"])
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=s3_bucket, Key="a", Body=b"4", IfMatch=put["ETag"])
    assert client.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"3"


def test_resource(gateway: RunningGateway, bucket: str) -> None:
    resource = boto3.resource(
        "s3", endpoint_url=gateway.url, region_name=REGION, aws_access_key_id=OWNER.access_key,
        aws_secret_access_key=OWNER.secret_key,
    )  # fmt: skip
    made = resource.create_bucket(Bucket=bucket)
    made.put_object(Key="a", Body=b"1")
    made.Object("b").put(Body=b"2")
    assert [(item.key, item.size) for item in made.objects.all()] == [("a", 1), ("b", 1)]
    assert made.Object("b").get()["Body"].read() == b"2"
    made.objects.all().delete()
    made.delete()
    with suppress(resource.meta.client.exceptions.NoSuchBucket):
        pytest.fail(f"there is {list(made.objects.all())}")
