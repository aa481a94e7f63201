"""ACLs, ownership controls and public access blocks: what requests set and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support.gateway import OTHER, OWNER
from tests.support.s3_http import send_signed

if TYPE_CHECKING:
    import jetstow
    from tests.support.gateway import RunningGateway

ALL = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
PRIVATE = [("owner-id", "FULL_CONTROL")]
CANNED = {
    "private": [],
    "public-read": [(ALL, "READ")],
    "public-read-write": [(ALL, "READ"), (ALL, "WRITE")],
    "authenticated-read": [(AUTHENTICATED, "READ")],
}


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def grants(response: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (grant["Grantee"].get("ID") or grant["Grantee"]["URI"], grant["Permission"])
        for grant in response["Grants"]
    ]


def policy(*pairs: tuple[str, str], owner: str = "owner-id") -> dict[str, Any]:
    entries = [
        {
            "Grantee": {"URI": grantee, "Type": "Group"}
            if grantee.startswith("http")
            else {"ID": grantee, "Type": "CanonicalUser"},
            "Permission": permission,
        }
        for grantee, permission in pairs
    ]
    return {"Owner": {"ID": owner}, "Grants": entries}


@pytest.mark.parametrize("canned", CANNED)
def test_canned_acl(s3: Any, bucket: str, canned: str) -> None:
    expected = CANNED[canned] + PRIVATE  # grants to groups come first
    s3.create_bucket(Bucket=bucket, ACL=canned)
    response = s3.get_bucket_acl(Bucket=bucket)
    assert response["Owner"] == {"ID": "owner-id", "DisplayName": "The Owner"}
    assert grants(response) == expected
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", ACL=canned)
    assert grants(s3.get_object_acl(Bucket=bucket, Key="a")) == expected
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    s3.put_object_acl(Bucket=bucket, Key="a", ACL="private")
    assert grants(s3.get_bucket_acl(Bucket=bucket)) == PRIVATE
    assert grants(s3.get_object_acl(Bucket=bucket, Key="a")) == PRIVATE
    in_other_order = policy(*PRIVATE, *CANNED[canned])
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=in_other_order)
    s3.put_object_acl(Bucket=bucket, Key="a", AccessControlPolicy=in_other_order)
    assert grants(s3.get_bucket_acl(Bucket=bucket)) == expected
    assert grants(s3.get_object_acl(Bucket=bucket, Key="a")) == expected
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)


def test_new_object_and_copy_are_private(s3: Any, s3_bucket: str) -> None:
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", ACL="public-read")
    source = f"{s3_bucket}/a"
    s3.copy_object(Bucket=s3_bucket, Key="b", CopySource=source)
    s3.copy_object(Bucket=s3_bucket, Key="c", CopySource=source, ACL="authenticated-read")
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    assert grants(s3.get_object_acl(Bucket=s3_bucket, Key="a")) == PRIVATE
    assert grants(s3.get_object_acl(Bucket=s3_bucket, Key="b")) == PRIVATE
    found = grants(s3.get_object_acl(Bucket=s3_bucket, Key="c"))
    assert found == [(AUTHENTICATED, "READ"), *PRIVATE]


def test_grant_headers(s3: Any, s3_bucket: str) -> None:
    s3.put_object(
        Bucket=s3_bucket, Key="a", Body=b"1",
        GrantRead='id="other-id", ID = third-id', GrantFullControl="id=owner-id",
    )  # fmt: skip
    assert sorted(grants(s3.get_object_acl(Bucket=s3_bucket, Key="a"))) == [
        ("other-id", "READ"),
        ("owner-id", "FULL_CONTROL"),
        ("third-id", "READ"),
    ]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"ACL": "public-red"}, "InvalidArgument"),
        ({"ACL": "private", "GrantRead": "id=other-id"}, "InvalidRequest"),
        ({"GrantRead": "id=no-such-user"}, "InvalidArgument"),
        ({"GrantRead": "uri=http://example.com/"}, "InvalidArgument"),
        ({"GrantRead": "emailAddress=a@example.com"}, "UnresolvableGrantByEmailAddress"),
        ({"GrantRead": "nonsense"}, "InvalidArgument"),
        ({"GrantRead": "id"}, "InvalidArgument"),
        ({"GrantRead": 'id="other-id'}, "InvalidArgument"),
    ],
)
def test_acl_headers_not_valid(
    s3: Any, s3_bucket: str, options: dict[str, str], expected: str
) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", **options)
    assert code(caught) == expected
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_acl(Bucket=s3_bucket, **options)
    assert code(caught) == expected


def test_grant_header_with_blanks(gateway: RunningGateway, s3_bucket: str) -> None:
    """The time was cubic in their number, and other requests waited."""
    headers = {"x-amz-grant-read": f'id={" " * 6000}x"y'}
    response = send_signed(gateway, "PUT", f"/{s3_bucket}?acl", headers=headers)
    assert (response.status, response.code) == (400, "InvalidArgument")


OTHER_OWNER = (
    "<AccessControlPolicy><Owner><ID>other-id</ID></Owner><AccessControlList/>"
    "</AccessControlPolicy>"
)
GRANT = "<Grant><Grantee><ID>owner-id</ID></Grantee><Permission>{}</Permission></Grant>"


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ("", 400, "MissingSecurityHeader"),
        ("<AccessControlPolicy/>", 400, "MalformedACLError"),
        ("nonsense", 400, "MalformedACLError"),
        ("<AccessControlPolicy><AccessControlList>" + GRANT.format("ALL")
         + "</AccessControlList></AccessControlPolicy>", 400, "MalformedACLError"),
        (OTHER_OWNER, 403, "AccessDenied"),
    ],
)  # fmt: skip
def test_acl_document_not_valid(
    gateway: RunningGateway, s3_bucket: str, body: str, status: int, expected: str
) -> None:
    response = send_signed(gateway, "PUT", f"/{s3_bucket}?acl", body=body.encode())
    assert (response.status, response.code) == (status, expected)


def test_acl_by_header_and_body(gateway: RunningGateway, s3_bucket: str) -> None:
    headers = {"x-amz-acl": "private"}
    response = send_signed(gateway, "PUT", f"/{s3_bucket}?acl", headers=headers, body=b"<a/>")
    assert (response.status, response.code) == (400, "UnexpectedContent")


def test_recreated_bucket_with_another_acl(s3: Any, bucket: str) -> None:
    s3.create_bucket(Bucket=bucket, ACL="public-read")
    s3.create_bucket(Bucket=bucket, ACL="public-read")
    with pytest.raises(ClientError) as caught:
        s3.create_bucket(Bucket=bucket)
    assert (code(caught), caught.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (
        "BucketAlreadyExists",
        409,
    )
    s3.delete_bucket(Bucket=bucket)


def test_bucket_with_tags_and_ownership(s3: Any, bucket: str) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    s3.create_bucket(
        Bucket=bucket, ObjectOwnership="BucketOwnerEnforced",
        CreateBucketConfiguration={"Tags": tags},
    )  # fmt: skip
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    s3.delete_bucket(Bucket=bucket)


def test_enforced_ownership_refuses_acls(s3: Any, s3_bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_ownership_controls(Bucket=s3_bucket)
    assert code(caught) == "OwnershipControlsNotFoundError"
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_object(Bucket=s3_bucket, Key="old", Body=b"1", ACL="public-read")
    s3.put_bucket_ownership_controls(Bucket=s3_bucket, OwnershipControls=enforced)
    assert grants(s3.get_object_acl(Bucket=s3_bucket, Key="old")) == PRIVATE
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", ACL="bucket-owner-full-control")
    for call in (
        lambda: s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", ACL="public-read"),
        lambda: s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1", ACL="private"),
        lambda: s3.create_multipart_upload(Bucket=s3_bucket, Key="a", ACL="private"),
        lambda: s3.put_object_acl(Bucket=s3_bucket, Key="a", ACL="public-read"),
        lambda: s3.put_bucket_acl(Bucket=s3_bucket, ACL="public-read"),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert code(caught) == "AccessControlListNotSupported"
    s3.delete_bucket_ownership_controls(Bucket=s3_bucket)
    s3.put_bucket_acl(Bucket=s3_bucket, ACL="public-read")
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_ownership_controls(Bucket=s3_bucket, OwnershipControls=enforced)
    assert code(caught) == "InvalidBucketAclWithObjectOwnership"


def test_public_access_block(s3: Any, s3_bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.get_public_access_block(Bucket=s3_bucket)
    assert code(caught) == "NoSuchPublicAccessBlockConfiguration"
    block = {
        "BlockPublicAcls": True, "IgnorePublicAcls": False,
        "BlockPublicPolicy": True, "RestrictPublicBuckets": False,
    }  # fmt: skip
    s3.put_public_access_block(Bucket=s3_bucket, PublicAccessBlockConfiguration=block)
    response = s3.get_public_access_block(Bucket=s3_bucket)
    assert response["PublicAccessBlockConfiguration"] == block
    s3.put_object(Bucket=s3_bucket, Key="a", Body=b"1")
    for call in (
        lambda: s3.put_object(Bucket=s3_bucket, Key="b", Body=b"1", ACL="public-read"),
        lambda: s3.put_object_acl(Bucket=s3_bucket, Key="a", ACL="authenticated-read"),
        lambda: s3.put_bucket_acl(Bucket=s3_bucket, ACL="public-read-write"),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert code(caught) == "AccessDenied"
    s3.delete_public_access_block(Bucket=s3_bucket)
    s3.put_bucket_acl(Bucket=s3_bucket, ACL="public-read")


async def test_bucket_without_owner(
    gateway: RunningGateway, s3: Any, store: jetstow.ObjectStore
) -> None:
    await store.put("a", b"1")
    for client, key in ((s3, OWNER), (gateway.client(OTHER), OTHER)):
        expected = [(key.owner, "FULL_CONTROL")]
        assert grants(client.get_bucket_acl(Bucket=store.bucket)) == expected
        assert grants(client.get_object_acl(Bucket=store.bucket, Key="a")) == expected
        client.put_object_acl(Bucket=store.bucket, Key="a", ACL="private")
        client.put_object(Bucket=store.bucket, Key="b", Body=b"1", ACL="private")
        with pytest.raises(ClientError) as caught:
            client.put_bucket_acl(Bucket=store.bucket, ACL="public-read")
        assert code(caught) == "AccessControlListNotSupported"
