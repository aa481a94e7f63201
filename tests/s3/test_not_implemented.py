"""Headers of features that are not implemented: refused as S3 refuses them, with no change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

REFUSED = [
    ("x-amz-server-side-encryption", "AES256", 501, "NotImplemented"),
    ("x-amz-server-side-encryption", "aws:kms", 501, "NotImplemented"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "key", 501, "NotImplemented"),
    ("x-amz-storage-class", "GLACIER", 400, "InvalidStorageClass"),
    ("x-amz-write-offset-bytes", "0", 501, "NotImplemented"),
    ("x-amz-security-token", "token", 400, "InvalidToken"),
    ("x-amz-mfa", "123456", 501, "NotImplemented"),
]


@pytest.mark.parametrize(("name", "value", "status", "code"), REFUSED)
def test_header_of_a_put(
    gateway: RunningGateway, s3: Any, s3_bucket: str, name: str, value: str, status: int, code: str
) -> None:
    response = send_signed(gateway, "PUT", f"/{s3_bucket}/a", headers={name: value}, body=b"x")
    assert (response.status, response.code) == (status, code)
    assert response.field("Header") == name
    assert s3.list_objects_v2(Bucket=s3_bucket)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-amz-storage-class", "STANDARD"),
        ("x-amz-server-side-encryption-bucket-key-enabled", "false"),
        ("x-amz-bypass-governance-retention", "true"),
        ("x-amz-request-payer", "requester"),
    ],
)
def test_header_that_asks_for_nothing(
    gateway: RunningGateway, s3_bucket: str, name: str, value: str
) -> None:
    response = send_signed(gateway, "PUT", f"/{s3_bucket}/a", headers={name: value}, body=b"x")
    assert response.status == 200
