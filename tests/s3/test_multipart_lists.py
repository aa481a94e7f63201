"""ListParts and ListMultipartUploads: order, pages, prefixes, delimiters."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import OWNER
from tests.support.multipart import Upload
from tests.support.s3_http import send_signed

KEYS = ["a", "b/1", "b/2", "c", "c", "ü &"]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jetstow.s3.multipart.turns.MAX_STANDSTILL", 0.1)


@pytest.fixture
def uploads(s3: Any, s3_bucket: str) -> list[Upload]:
    return [Upload(s3, s3_bucket, key) for key in KEYS]


def test_parts_in_pages(s3: Any, s3_bucket: str) -> None:
    upload = Upload(s3, s3_bucket, "a", ChecksumAlgorithm="SHA256")
    numbers = [1, 2, 5, 10_000]
    for number in reversed(numbers):
        upload.put(number, b"%d" % number)
    page = upload.list_parts(MaxParts=3)
    assert [part["PartNumber"] for part in page["Parts"]] == numbers[:3]
    assert (page["IsTruncated"], page["MaxParts"], page["PartNumberMarker"]) == (True, 3, 0)
    assert page["NextPartNumberMarker"] == 5
    first = page["Parts"][0]
    assert (first["Size"], first["ETag"]) == (1, f'"{hashlib.md5(b"1").hexdigest()}"')
    assert first["ChecksumSHA256"] == upload.sums[1]["ChecksumSHA256"]
    assert (page["ChecksumAlgorithm"], page["ChecksumType"]) == ("SHA256", "COMPOSITE")
    assert page["Initiator"]["ID"] == page["Owner"]["ID"] == OWNER.owner
    page = upload.list_parts(PartNumberMarker=5)
    assert [part["PartNumber"] for part in page["Parts"]] == [10_000]
    assert page["IsTruncated"] is False
    with pytest.raises(ClientError):
        upload.list_parts(MaxParts=-1)


def test_uploads_by_key_and_age(s3: Any, s3_bucket: str, uploads: list[Upload]) -> None:
    listed = s3.list_multipart_uploads(Bucket=s3_bucket)
    assert [each["Key"] for each in listed["Uploads"]] == KEYS
    assert [each["UploadId"] for each in listed["Uploads"]] == [each.id for each in uploads]
    assert listed["IsTruncated"] is False
    assert listed["Uploads"][0]["Owner"]["ID"] == OWNER.owner


@pytest.mark.parametrize("size", [1, 2, 4])
def test_uploads_in_pages(s3: Any, s3_bucket: str, uploads: list[Upload], size: int) -> None:
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=s3_bucket, PaginationConfig={"PageSize": size}
    )
    ids = [each["UploadId"] for page in pages for each in page.get("Uploads", ())]
    assert ids == [each.id for each in uploads]


@pytest.mark.parametrize("size", [1, 10])
def test_uploads_with_a_delimiter(
    s3: Any, s3_bucket: str, uploads: list[Upload], size: int
) -> None:
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=s3_bucket, Delimiter="/", PaginationConfig={"PageSize": size}
    )
    keys, prefixes = [], []
    for page in pages:
        keys += [each["Key"] for each in page.get("Uploads", ())]
        prefixes += [each["Prefix"] for each in page.get("CommonPrefixes", ())]
    assert keys == ["a", "c", "c", "ü &"]
    assert prefixes == ["b/"]
    assert len(uploads) == 6


def test_uploads_with_a_prefix_and_markers(s3: Any, s3_bucket: str, uploads: list[Upload]) -> None:
    listed = s3.list_multipart_uploads(Bucket=s3_bucket, Prefix="b/")
    assert [each["Key"] for each in listed["Uploads"]] == ["b/1", "b/2"]
    listed = s3.list_multipart_uploads(Bucket=s3_bucket, KeyMarker="b/2", EncodingType="url")
    assert [each["Key"] for each in listed["Uploads"]] == ["c", "c", "%C3%BC%20%26"]
    listed = s3.list_multipart_uploads(
        Bucket=s3_bucket, KeyMarker="c", UploadIdMarker=uploads[3].id
    )
    assert [each["UploadId"] for each in listed["Uploads"]] == [each.id for each in uploads[4:]]
    # Without a key marker, S3 ignores the upload marker.
    listed = s3.list_multipart_uploads(Bucket=s3_bucket, UploadIdMarker=uploads[3].id)
    assert len(listed["Uploads"]) == 6


def test_page_without_uploads(gateway: Any, s3_bucket: str, uploads: list[Upload]) -> None:
    response = send_signed(gateway, "GET", f"/{s3_bucket}?uploads&max-uploads=0")
    assert b"<IsTruncated>false" in response.body
    assert b"<Upload>" not in response.body
    assert send_signed(gateway, "GET", f"/{s3_bucket}?uploads&max-uploads=x").status == 400
    assert len(uploads) == 6
