"""Checksums of multipart uploads: of parts, of all bytes, and of the parts' sums."""

from __future__ import annotations

import base64
import os
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from botocore.exceptions import ClientError

from jetstow.s3.body.checksums import ALGORITHMS
from tests.support.multipart import MIB, Upload
from tests.support.s3_http import send_signed

PARTS = [os.urandom(5 * MIB), b"the rest"]
COMPOSITE = ["CRC32", "CRC32C", "SHA1", "SHA256"]


def summed(algorithm: str, data: bytes) -> bytes:
    running = ALGORITHMS[algorithm].new()
    running.update(data)
    return running.digest()


def encoded(algorithm: str, data: bytes) -> str:
    return base64.b64encode(summed(algorithm, data)).decode()


def begin(s3: Any, bucket: str, algorithm: str, kind: str) -> Upload:
    upload = Upload(s3, bucket, "a", ChecksumAlgorithm=algorithm, ChecksumType=kind)
    assert upload.created["ChecksumAlgorithm"] == algorithm
    assert upload.created["ChecksumType"] == kind
    for number, data in enumerate(PARTS, 1):
        sent = upload.put(number, data)
        assert sent[f"Checksum{algorithm}"] == encoded(algorithm, data)
    return upload


def error_code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_full_object_sum(s3: Any, s3_bucket: str, algorithm: str) -> None:
    upload = begin(s3, s3_bucket, algorithm, "FULL_OBJECT")
    name, expected = f"Checksum{algorithm}", encoded(algorithm, b"".join(PARTS))
    with pytest.raises(ClientError) as caught:
        upload.complete(**{name: encoded(algorithm, b"other")})
    assert error_code(caught) == "BadDigest"
    done = upload.complete(**{name: expected})
    assert (done[name], done["ChecksumType"]) == (expected, "FULL_OBJECT")
    check_object(s3, s3_bucket, algorithm, expected, "FULL_OBJECT")


@pytest.mark.parametrize("algorithm", COMPOSITE)
def test_composite_sum(s3: Any, s3_bucket: str, algorithm: str) -> None:
    upload = begin(s3, s3_bucket, algorithm, "COMPOSITE")
    sums = b"".join(summed(algorithm, data) for data in PARTS)
    name, expected = f"Checksum{algorithm}", f"{encoded(algorithm, sums)}-2"
    with pytest.raises(ClientError) as caught:
        upload.complete(**{name: f"{encoded(algorithm, b'other')}-2"})
    assert error_code(caught) == "BadDigest"
    done = upload.complete(**{name: expected})
    assert (done[name], done["ChecksumType"]) == (expected, "COMPOSITE")
    check_object(s3, s3_bucket, algorithm, expected, "COMPOSITE")


def check_object(s3: Any, bucket: str, algorithm: str, expected: str, kind: str) -> None:
    place, name = {"Bucket": bucket, "Key": "a"}, f"Checksum{algorithm}"
    got = s3.get_object(**place, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"".join(PARTS)
    assert (got[name], got["ChecksumType"]) == (expected, kind)
    for number, data in enumerate(PARTS, 1):
        # boto3 compares the sum with the bytes that it has received.
        got = s3.get_object(**place, PartNumber=number, ChecksumMode="ENABLED")
        assert got["Body"].read() == data
        assert (got[name], got["ChecksumType"]) == (encoded(algorithm, data), kind)
    assert name not in s3.get_object(**place, Range="bytes=0-", ChecksumMode="ENABLED")
    names = ["Checksum", "ObjectParts"]
    found = s3.get_object_attributes(**place, ObjectAttributes=names)
    assert found["Checksum"][name] == expected
    listed = [part[name] for part in found["ObjectParts"]["Parts"]]
    assert listed == [encoded(algorithm, data) for data in PARTS]


def test_upload_without_an_algorithm_has_the_default(s3: Any, s3_bucket: str, gateway: Any) -> None:
    """The sums of the parts are of another algorithm than the object's."""
    path = f"/{s3_bucket}/a"
    created = send_signed(gateway, "POST", f"{path}?uploads")
    assert "x-amz-checksum-algorithm" not in created.headers
    upload_id = ET.fromstring(created.body).findtext("{*}UploadId")
    target = f"{path}?uploadId={upload_id}"
    parts = ""
    for number, data in enumerate(PARTS, 1):
        headers = {"x-amz-checksum-sha256": encoded("SHA256", data)}
        sent = send_signed(
            gateway, "PUT", f"{target}&partNumber={number}", headers=headers, body=data
        )
        assert sent.headers["x-amz-checksum-sha256"] == encoded("SHA256", data)
        etag = sent.headers["etag"]
        parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
    body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
    assert send_signed(gateway, "POST", target, body=body).status == 200
    head = s3.head_object(Bucket=s3_bucket, Key="a", ChecksumMode="ENABLED")
    plain = send_signed(gateway, "HEAD", path)
    assert "x-amz-checksum-crc64nvme" not in plain.headers
    assert head["ChecksumCRC64NVME"] == encoded("CRC64NVME", b"".join(PARTS))


def test_part_with_a_wrong_sum_is_not_stored(s3: Any, s3_bucket: str) -> None:
    """The part is in turn: what it wrote to the object is purged, and it can be sent again."""
    upload = Upload(s3, s3_bucket, "a")
    for number, data in enumerate(PARTS, 1):
        with pytest.raises(ClientError) as caught:
            upload.put(number, data, ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
        assert error_code(caught) == "BadDigest"
        assert len(upload.list_parts().get("Parts", ())) == number - 1
        upload.put(number, data)
    upload.complete()
    assert s3.get_object(Bucket=s3_bucket, Key="a")["Body"].read() == b"".join(PARTS)


def test_part_with_another_algorithm_is_refused(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a", ChecksumAlgorithm="SHA256")
    with pytest.raises(ClientError) as caught:
        upload.put(1, b"data", ChecksumAlgorithm="CRC32")
    assert error_code(caught) == "InvalidRequest"


def test_complete_with_a_wrong_sum_of_a_part(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a", ChecksumAlgorithm="SHA256")
    upload.put(1, b"data")
    upload.sums[1] = {"ChecksumSHA256": encoded("SHA256", b"other")}
    with pytest.raises(ClientError) as caught:
        upload.complete()
    assert error_code(caught) == "InvalidPart"


def test_complete_with_a_wrong_size_or_type(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    upload.put(1, b"data")
    for option in ({"MpuObjectSize": 5}, {"ChecksumType": "COMPOSITE"}, {"ChecksumSHA1": "x"}):
        with pytest.raises(ClientError) as caught:
            upload.complete(**option)
        assert error_code(caught) == "InvalidRequest"
    upload.complete(MpuObjectSize=4)


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"), ("CRC32", "SOME"), ("NEWEST", None)],
)
def test_algorithm_and_type_that_do_not_go_together(
    gateway: Any, s3_bucket: str, algorithm: str, kind: str | None
) -> None:
    headers = {"x-amz-checksum-algorithm": algorithm}
    if kind is not None:
        headers["x-amz-checksum-type"] = kind
    response = send_signed(gateway, "POST", f"/{s3_bucket}/a?uploads", headers=headers)
    assert (response.status, response.code) == (400, "InvalidRequest")
