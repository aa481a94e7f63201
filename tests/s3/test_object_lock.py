"""Object lock with boto3: the rule of a bucket, retentions, legal holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import OTHER
from tests.support.multipart import Upload
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    from tests.support.gateway import RunningGateway

LATER = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
GOVERNANCE = {"Mode": "GOVERNANCE", "RetainUntilDate": LATER}
COMPLIANCE = {"Mode": "COMPLIANCE", "RetainUntilDate": LATER}
RULE = {
    "ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}},
}


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.fixture
def locked(s3: Any, bucket: str) -> Iterator[str]:
    """A bucket with object lock. It is deleted if nothing in it is in the mode compliance."""
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    yield bucket
    versions = s3.list_object_versions(Bucket=bucket)
    for item in [*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())]:
        place = {"Bucket": bucket, "Key": item["Key"], "VersionId": item["VersionId"]}
        with suppress(ClientError):  # a delete marker has no legal hold
            s3.put_object_legal_hold(**place, LegalHold={"Status": "OFF"})
        with suppress(ClientError):
            s3.delete_object(**place, BypassGovernanceRetention=True)
    with suppress(ClientError):
        s3.delete_bucket(Bucket=bucket)


def test_rename_in_a_bucket_with_a_rule(s3: Any, locked: str) -> None:
    """The object had no lock under its new key."""
    for key in "ab":
        s3.put_object(Bucket=locked, Key=key, Body=key.encode(), Metadata={"k": key})
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=RULE)
    s3.rename_object(Bucket=locked, Key="b", RenameSource="a")
    s3.rename_object(Bucket=locked, Key="c", RenameSource="b")
    got = s3.get_object(Bucket=locked, Key="c")
    assert (got["Body"].read(), got["Metadata"]) == (b"a", {"k": "a"})
    assert got["ObjectLockMode"] == "GOVERNANCE"
    versions = s3.list_object_versions(Bucket=locked)
    assert sorted(each["Key"] for each in versions["DeleteMarkers"]) == ["a", "b"]
    assert sorted(each["Key"] for each in versions["Versions"]) == ["a", "b", "b", "c"]


def test_rule_of_a_bucket(s3: Any, locked: str) -> None:
    enabled = {"ObjectLockEnabled": "Enabled"}
    get = s3.get_object_lock_configuration
    assert get(Bucket=locked)["ObjectLockConfiguration"] == enabled
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=RULE)
    assert get(Bucket=locked)["ObjectLockConfiguration"] == RULE
    expected = datetime.now(UTC) + timedelta(days=1)
    s3.put_object(Bucket=locked, Key="a", Body=b"1")
    s3.copy_object(Bucket=locked, Key="b", CopySource=f"{locked}/a")
    upload = Upload(s3, locked, "c")
    upload.put(1, b"1")
    upload.complete()
    for key in ("a", "b", "c"):
        head = s3.head_object(Bucket=locked, Key=key)
        assert head["ObjectLockMode"] == "GOVERNANCE"
        assert abs(head["ObjectLockRetainUntilDate"] - expected) < timedelta(minutes=5)
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_versioning(Bucket=locked, VersioningConfiguration={"Status": "Suspended"})
    assert code(caught) == "InvalidBucketState"


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"ObjectLockEnabled": "Disabled"}, "MalformedXML"),
        ({"Mode": "GOVERNANCE", "Days": 1, "Years": 1}, "MalformedXML"),
        ({"Mode": "governance", "Days": 1}, "MalformedXML"),
        ({"Mode": "GOVERNANCE"}, "MalformedXML"),
        ({"Mode": "GOVERNANCE", "Days": 0}, "InvalidRetentionPeriod"),
        ({"Mode": "COMPLIANCE", "Years": -1}, "InvalidRetentionPeriod"),
        ({"Mode": "COMPLIANCE", "Years": 101}, "InvalidRetentionPeriod"),
    ],
)
def test_rule_that_is_not_valid(
    s3: Any, locked: str, configuration: dict[str, Any], expected: str
) -> None:
    if "Mode" in configuration:
        rule = {"DefaultRetention": configuration}
        configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    with pytest.raises(ClientError) as caught:
        s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
    assert code(caught) == expected


def test_bucket_without_object_lock(s3: Any, s3_bucket: str) -> None:
    place = {"Bucket": s3_bucket, "Key": "a"}
    s3.put_object(**place, Body=b"1")
    lock = {"Bucket": s3_bucket, "ObjectLockConfiguration": RULE}
    for call, expected in (
        (lambda: s3.get_object_lock_configuration(Bucket=s3_bucket),
         "ObjectLockConfigurationNotFoundError"),
        (lambda: s3.put_object_lock_configuration(**lock), "InvalidBucketState"),
        (lambda: s3.put_object_retention(**place, Retention=GOVERNANCE), "InvalidRequest"),
        (lambda: s3.get_object_retention(**place), "InvalidRequest"),
        (lambda: s3.put_object_legal_hold(**place, LegalHold={"Status": "ON"}), "InvalidRequest"),
        (lambda: s3.get_object_legal_hold(**place), "InvalidRequest"),
        (lambda: s3.put_object(**place, ObjectLockLegalHoldStatus="ON"), "InvalidRequest"),
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            call()
        assert code(caught) == expected
    # There is nothing to bypass, and tools that empty buckets send it always.
    s3.delete_object(**place, BypassGovernanceRetention=True)
    s3.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(**lock)


def test_retention_of_a_version(s3: Any, locked: str) -> None:
    place = {"Bucket": locked, "Key": "a"}
    version = s3.put_object(**place, Body=b"1")["VersionId"]
    s3.put_object(**place, Body=b"2")
    old = place | {"VersionId": version}
    with pytest.raises(ClientError) as caught:
        s3.get_object_retention(**old)
    assert code(caught) == "NoSuchObjectLockConfiguration"
    s3.put_object_retention(**old, Retention=GOVERNANCE)
    assert s3.get_object_retention(**old)["Retention"] == GOVERNANCE
    shorter = GOVERNANCE | {"RetainUntilDate": LATER - timedelta(days=1)}
    for refused in (
        lambda: s3.delete_object(**old),
        lambda: s3.put_object_retention(**old, Retention=shorter),
        lambda: s3.put_object_retention(**old, Retention=COMPLIANCE),
        lambda: s3.put_object_retention(**old, Retention={}),
    ):
        with pytest.raises(ClientError) as caught:
            refused()
        assert code(caught) == "AccessDenied"
    targets = [{"Key": "a", "VersionId": version}, {"Key": "none"}]
    result = s3.delete_objects(Bucket=locked, Delete={"Objects": targets})
    assert [error["Code"] for error in result["Errors"]] == ["AccessDenied"]
    assert [item["Key"] for item in result["Deleted"]] == ["none"]
    s3.put_object_retention(**old, Retention=shorter, BypassGovernanceRetention=True)
    s3.delete_object(**place)  # a delete marker
    assert s3.get_object(**old)["Body"].read() == b"1"
    s3.delete_object(**old, BypassGovernanceRetention=True)


def test_lock_of_a_put(s3: Any, locked: str) -> None:
    place = {"Bucket": locked, "Key": "a"}
    past = {"Mode": "GOVERNANCE", "RetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)}
    version = s3.put_object(
        **place, Body=b"1", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=LATER,
        ObjectLockLegalHoldStatus="ON",
    )["VersionId"]  # fmt: skip
    head = s3.head_object(**place)
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", LATER)
    assert head["ObjectLockLegalHoldStatus"] == "ON"
    old = place | {"VersionId": version}
    s3.put_object_tagging(**place, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    assert s3.get_object_legal_hold(**place)["LegalHold"] == {"Status": "ON"}
    with pytest.raises(ClientError) as caught:
        s3.delete_object(**old, BypassGovernanceRetention=True)
    assert code(caught) == "AccessDenied"
    s3.put_object_legal_hold(**old, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(**place)["LegalHold"] == {"Status": "OFF"}
    for options in (
        {"ObjectLockMode": "GOVERNANCE"}, {"ObjectLockRetainUntilDate": LATER},
        {"ObjectLockMode": "OTHER", "ObjectLockRetainUntilDate": LATER},
        {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": past["RetainUntilDate"]},
        {"ObjectLockLegalHoldStatus": "MAYBE"},
    ):  # fmt: skip
        with pytest.raises(ClientError) as caught:
            s3.put_object(**place, Body=b"2", **options)
        assert code(caught) == "InvalidArgument"
    with pytest.raises(ClientError) as caught:
        s3.put_object_retention(**place, Retention=past)
    assert code(caught) == "InvalidArgument"


def test_retention_after_the_last_year(gateway: RunningGateway, s3: Any, locked: str) -> None:
    """It was an internal error."""
    late = "9999-12-31T23:59:59-10:00"
    headers = {
        "x-amz-object-lock-mode": "GOVERNANCE",
        "x-amz-object-lock-retain-until-date": late,
    }
    response = send_signed(gateway, "PUT", f"/{locked}/a", headers=headers, body=b"1")
    assert (response.status, response.code) == (400, "InvalidArgument")
    s3.put_object(Bucket=locked, Key="a", Body=b"1")
    document = (
        f"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{late}</RetainUntilDate></Retention>"
    )
    response = send_signed(gateway, "PUT", f"/{locked}/a?retention", body=document.encode())
    assert (response.status, response.code) == (400, "MalformedXML")


def test_bypass_of_another_user(gateway: RunningGateway, s3: Any, locked: str) -> None:
    """Who may delete a version may not bypass its retention."""
    place = {"Bucket": locked, "Key": "a"}
    version = s3.put_object(**place, Body=b"1")["VersionId"]
    s3.put_object_retention(**place, Retention=GOVERNANCE)
    statement = {
        "Effect": "Allow", "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": f"arn:aws:s3:::{locked}/*",
        "Principal": {"AWS": f"arn:aws:iam:::user/{OTHER.owner}"},
    }  # fmt: skip
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=locked, Policy=json.dumps(policy))
    other = gateway.client(OTHER)
    with pytest.raises(ClientError) as caught:
        other.delete_object(**place, VersionId=version, BypassGovernanceRetention=True)
    assert code(caught) == "AccessDenied"
    other.delete_object(**place)
