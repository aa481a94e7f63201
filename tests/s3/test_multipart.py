"""Multipart uploads with boto3: parts, lists, completion, abort."""

from __future__ import annotations

import datetime
import hashlib
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from tests.support.multipart import MIB, Upload, multipart_etag
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

PART = os.urandom(5 * MIB)
UNALIGNED = os.urandom(5_000_000 + 300_000)


def error_code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def test_upload_in_order(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a", Metadata={"one": "1"}, ContentType="text/plain")
    parts = [PART, UNALIGNED, b"the rest"]
    for number, data in enumerate(parts, 1):
        assert upload.put(number, data)["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    done = upload.complete()
    assert done["ETag"] == multipart_etag(parts)
    assert done["Key"] == "a"
    got = s3.get_object(Bucket=s3_bucket, Key="a")
    assert got["Body"].read() == b"".join(parts)
    assert (got["ETag"], got["ContentType"], got["Metadata"]) == (
        multipart_etag(parts), "text/plain", {"one": "1"},
    )  # fmt: skip
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=s3_bucket)


def test_upload_in_reverse_order(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    parts = {3: b"the rest", 2: UNALIGNED, 1: PART}
    for number, data in parts.items():
        upload.put(number, data)
    upload.complete()
    data = s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read()
    assert data == PART + UNALIGNED + b"the rest"


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts ahead of their turn give up soon."""
    monkeypatch.setattr("jetstow.s3.multipart.turns.MAX_STANDSTILL", 0.2)


def test_small_upload_of_one_part(s3: Any, s3_bucket: str) -> None:
    """pyarrow uploads 600 bytes so. The number is any."""
    upload = Upload(s3, s3_bucket, "a")
    upload.put(7, b"x" * 600)
    assert upload.complete()["ETag"] == multipart_etag([b"x" * 600])
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"x" * 600


def test_empty_upload_of_one_part(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, b"")
    upload.complete()
    assert s3.head_object(Bucket=s3_bucket, Key="a")["ContentLength"] == 0


def test_upload_with_gaps_and_unused_parts(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    for number, data in ((1, PART), (2, b"unused"), (10, UNALIGNED), (20, b"end")):
        upload.put(number, data)
    assert upload.complete(1, 10, 20)["ETag"] == multipart_etag([PART, UNALIGNED, b"end"])
    data = s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read()
    assert data == PART + UNALIGNED + b"end"


def test_part_sent_again_replaces_the_first(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, PART)
    upload.put(2, b"old")
    upload.put(2, b"new one")
    upload.put(3, b"end")
    with pytest.raises(ClientError) as caught:
        upload.complete()
    assert error_code(caught) == "EntityTooSmall"
    upload.complete(1, 2)
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == PART + b"new one"


def test_unknown_upload(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, b"data")
    upload.abort()
    calls = (
        lambda: upload.put(1, b"data"),
        upload.complete,
        upload.abort,
        upload.list_parts,
    )
    for call in calls:
        with pytest.raises(ClientError) as caught:
            call()
        assert error_code(caught) == "NoSuchUpload"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_abort_if_initiated_at_a_time(s3: Any, s3_bucket: str) -> None:
    """The condition had been ignored."""
    upload = Upload(s3, s3_bucket, "a")
    (listed,) = s3.list_multipart_uploads(Bucket=s3_bucket)["Uploads"]
    earlier = listed["Initiated"] - datetime.timedelta(seconds=1)
    with pytest.raises(ClientError) as caught:
        s3.abort_multipart_upload(**upload.place, IfMatchInitiatedTime=earlier)
    assert error_code(caught) == "PreconditionFailed"
    s3.abort_multipart_upload(**upload.place, IfMatchInitiatedTime=listed["Initiated"])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=s3_bucket)


def test_upload_belongs_to_its_key(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, b"data")
    for key in ("b", "A"):
        place = {"Bucket": s3_bucket, "Key": key, "UploadId": upload.id}
        with pytest.raises(ClientError) as caught:
            s3.upload_part(**place, PartNumber=1, Body=b"")
        assert error_code(caught) == "NoSuchUpload"
    upload.complete()


def test_part_numbers(gateway: RunningGateway, s3: Any, s3_bucket: str) -> None:
    """All digits count, not the first six."""
    upload = Upload(s3, s3_bucket, "a")
    etag = upload.put(1, b"data")["ETag"]
    target = f"/{s3_bucket}/a?uploadId={upload.id}"
    part = f"<Part><PartNumber>{{}}</PartNumber><ETag>{etag}</ETag></Part>"
    document = f"<CompleteMultipartUpload>{part}</CompleteMultipartUpload>"
    numbers = ("0", "-1", "+1", "1.0", "\u0661", "10001", "000001999999999", "000001" + 5000 * "0")
    for number in numbers:
        put = f"{target}&partNumber={quote(number)}"
        response = send_signed(gateway, "PUT", put, body=b"data")
        assert (response.status, response.code) == (400, "InvalidArgument"), number
        body = document.format(number).encode()
        response = send_signed(gateway, "POST", target, body=body)
        assert (response.status, response.code) == (400, "MalformedXML"), number
    assert send_signed(gateway, "POST", target, body=document.format("01").encode()).status == 200


def test_number_of_elements_of_complete(gateway: RunningGateway, s3_bucket: str) -> None:
    """A million took 38 seconds, and other requests waited."""
    sums = "<ChecksumCRC32>AAAAAA==</ChecksumCRC32><ChecksumSHA1>AAAA</ChecksumSHA1>"
    full = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{'0' * 32}</ETag>{sums}</Part>"
        for number in range(1, 10_001)
    )
    many = f"<Part><PartNumber>1</PartNumber><ETag/>{'<a/>' * 1_000_000}</Part>"
    for parts, expected in ((full, "NoSuchUpload"), (many, "MalformedXML")):
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        response = send_signed(gateway, "POST", f"/{s3_bucket}/a?uploadId=x", body=body)
        # The status of a Complete is 200 from the first white space on.
        assert response.code == expected


def test_complete_refuses_what_does_not_fit(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, b"small")
    upload.put(2, b"end")
    cases: list[tuple[list[dict[str, Any]], str]] = [
        ([], "MalformedXML"),
        ([{"PartNumber": 3, "ETag": upload.etags[1]}], "InvalidPart"),
        ([{"PartNumber": 1, "ETag": "0" * 32}], "InvalidPart"),
        ([{"PartNumber": n, "ETag": upload.etags[n]} for n in (2, 1)], "InvalidPartOrder"),
        ([{"PartNumber": n, "ETag": upload.etags[n]} for n in (1, 2)], "EntityTooSmall"),
        ([{"PartNumber": 10_001, "ETag": "0" * 32}], "MalformedXML"),
    ]
    for parts, code in cases:
        with pytest.raises(ClientError) as caught:
            s3.complete_multipart_upload(**upload.place, MultipartUpload={"Parts": parts})
        assert error_code(caught) == code, parts
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    # ETags without quotes are as good. Of a part that was sent again, the last one counts.
    parts = [
        {"PartNumber": 2, "ETag": "0" * 32},
        {"PartNumber": 2, "ETag": upload.etags[2].strip('"')},
    ]
    s3.complete_multipart_upload(**upload.place, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"end"


@pytest.mark.parametrize("number", [0, 10_001])
def test_part_number_out_of_range(s3: Any, s3_bucket: str, number: int) -> None:
    upload = Upload(s3, s3_bucket, "a")
    with pytest.raises(ClientError) as caught:
        upload.put(number, b"data")
    assert error_code(caught) == "InvalidArgument"


def test_parts_of_the_object(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    parts = [PART, UNALIGNED, b"end"]
    for number, data in enumerate(parts, 1):
        upload.put(number, data)
    etag = upload.complete()["ETag"]
    place = {"Bucket": s3_bucket, "Key": "a"}
    for number, data in enumerate(parts, 1):
        got = s3.get_object(**place, PartNumber=number)
        assert got["Body"].read() == data
        assert (got["PartsCount"], got["ETag"]) == (3, etag)
        head = s3.head_object(**place, PartNumber=number)
        assert (head["PartsCount"], head["ContentLength"]) == (3, len(data))
    with pytest.raises(ClientError) as caught:
        s3.get_object(**place, PartNumber=4)
    assert error_code(caught) == "InvalidPart"
    assert "PartsCount" not in s3.head_object(**place)
    found = s3.get_object_attributes(**place, ObjectAttributes=["ObjectParts"], MaxParts=2)
    listed = found["ObjectParts"]
    assert [part["Size"] for part in listed["Parts"]] == [len(PART), len(UNALIGNED)]
    assert (listed["TotalPartsCount"], listed["IsTruncated"]) == (3, True)
    found = s3.get_object_attributes(
        **place,
        ObjectAttributes=["ObjectParts"],
        PartNumberMarker=listed["NextPartNumberMarker"],
    )
    assert [part["PartNumber"] for part in found["ObjectParts"]["Parts"]] == [3]
    assert found["ObjectParts"]["IsTruncated"] is False


def test_replaced_object_has_no_parts(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    upload.put(1, b"data")
    upload.complete()
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"data")
    assert "PartsCount" not in s3.head_object(Bucket=s3_bucket, Key="a", PartNumber=1)


def test_deleted_bucket_forgets_its_uploads(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a")
    s3.delete_bucket(Bucket=s3_bucket)
    s3.create_bucket(Bucket=s3_bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=s3_bucket)
    with pytest.raises(ClientError) as caught:
        upload.put(1, b"data")
    assert error_code(caught) == "NoSuchUpload"


@pytest.mark.parametrize("bucket", ["JETSTOW_S3_SPOOL", "JETSTOW_S3_UPLOADS"])
def test_buckets_of_the_gateway_are_hidden(gateway: Any, s3: Any, bucket: str) -> None:
    assert bucket not in {each["Name"] for each in s3.list_buckets()["Buckets"]}
    for method in ("GET", "PUT", "DELETE"):
        assert send_signed(gateway, method, f"/{bucket}/a").code == "NoSuchBucket"
    assert send_signed(gateway, "PUT", f"/{bucket}").status == 400
