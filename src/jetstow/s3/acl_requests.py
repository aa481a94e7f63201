"""ACLs in requests and responses: headers, and the AccessControlPolicy document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jetstow.s3.acl import CANNED, GROUPS, Acl, Grant, Permission, canned_acl
from jetstow.s3.auth.keys import Keys
from jetstow.s3.errors import S3Error
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, text

ACL_HEADER: Final = "x-amz-acl"
_GRANT_PREFIX: Final = "x-amz-grant-"
_GRANT_HEADERS: Final = {
    _GRANT_PREFIX + permission.value.lower().replace("_", "-"): permission
    for permission in Permission
}
_GRANTEE_KINDS: Final = frozenset({"id", "uri", "emailaddress"})
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

# S3's limit.
_MAX_GRANTS: Final = 100


def parse_acl_headers(
    headers: Mapping[str, str], keys: Keys, owner: str, bucket_owner: str | None
) -> Acl | None:
    """Return the ACL of the headers of a request, or None if it has none.

    `bucket_owner` is None for the ACL of a bucket.

    Raises: `S3Error` (InvalidArgument, InvalidRequest, UnresolvableGrantByEmailAddress).
    """
    canned = headers.get(ACL_HEADER)
    names = [name for name in headers if name.startswith(_GRANT_PREFIX)]
    if canned is not None:
        if names:
            message = "Specifying both Canned ACLs and Header Grants is not allowed"
            raise S3Error("InvalidRequest", message)
        if canned not in CANNED:
            raise S3Error("InvalidArgument", ArgumentName=ACL_HEADER, ArgumentValue=canned)
        return canned_acl(canned, owner, bucket_owner)
    if not names:
        return None
    grants = []
    for name in names:
        if name not in _GRANT_HEADERS:
            raise S3Error("InvalidArgument", ArgumentName=name, ArgumentValue=headers[name])
        for part in headers[name].split(","):
            kind, _, value = (each.strip() for each in part.partition("="))
            if kind.lower() not in _GRANTEE_KINDS:
                raise S3Error("InvalidArgument", ArgumentName=name, ArgumentValue=headers[name])
            if len(value) > 1 and value[0] == value[-1] == '"':
                value = value[1:-1]
            grants.append(Grant(_grantee(kind.lower(), value, keys), _GRANT_HEADERS[name]))
    return tuple(grants)


def parse_acl(
    headers: Mapping[str, str], body: bytes, keys: Keys, owner: str, bucket_owner: str | None
) -> Acl:
    """Return the ACL that a request sets, by its headers or by its body.

    Raises: `S3Error` (MissingSecurityHeader: by neither, UnexpectedContent: by both, and what
    `parse_acl_headers` and `parse_acl_document` raise).
    """
    acl = parse_acl_headers(headers, keys, owner, bucket_owner)
    if acl is None:
        if not body:
            raise S3Error("MissingSecurityHeader", MissingHeaderName=ACL_HEADER)
        return parse_acl_document(body, keys, owner)
    if body:
        raise S3Error("UnexpectedContent")
    return acl


def parse_acl_document(data: bytes, keys: Keys, owner: str) -> Acl:
    """Return the ACL of an AccessControlPolicy document of what has an owner.

    Raises: `S3Error` (MalformedACLError, AccessDenied: it has another owner, InvalidArgument,
    UnresolvableGrantByEmailAddress).
    """
    try:
        root = parse_xml(data, "AccessControlPolicy")
    except S3Error:
        raise S3Error("MalformedACLError") from None
    stated, grants = root.child("Owner"), root.child("AccessControlList")
    if grants is None:
        raise S3Error("MalformedACLError")
    if stated is not None and stated.value("ID") not in (None, "", owner):
        raise S3Error("AccessDenied", "The owner of a bucket or an object cannot be changed.")
    parsed = tuple(_parse_grant(node, keys) for node in grants.children())
    if len(parsed) > _MAX_GRANTS:
        raise S3Error("MalformedACLError", f"There cannot be more than {_MAX_GRANTS} grants.")
    return parsed


def _parse_grant(node: Node, keys: Keys) -> Grant:
    grantee = node.child("Grantee")
    try:
        permission = Permission(node.value("Permission"))
    except ValueError:
        raise S3Error("MalformedACLError") from None
    if node.name != "Grant" or grantee is None:
        raise S3Error("MalformedACLError")
    for name, kind in (("ID", "id"), ("URI", "uri"), ("EmailAddress", "emailaddress")):
        if value := grantee.value(name):
            return Grant(_grantee(kind, value, keys), permission)
    raise S3Error("MalformedACLError")


def _grantee(kind: str, value: str, keys: Keys) -> str:
    """Return a user that has a key, or a group."""
    if kind == "emailaddress":
        raise S3Error("UnresolvableGrantByEmailAddress", EmailAddress=value)
    if kind == "uri" and value not in GROUPS:
        raise S3Error(
            "InvalidArgument", "Invalid group uri", ArgumentName="uri", ArgumentValue=value
        )
    if kind == "id" and not keys.has_owner(value):
        raise S3Error(
            "InvalidArgument", "Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=value
        )
    return value


def acl_document(owner: str, acl: Acl, keys: Keys) -> str:
    """Return the AccessControlPolicy document.

    Grants to groups come first, as Ceph answers. S3 promises no order, but clients and test suites
    were written against both.
    """
    grants = sorted(acl, key=lambda grant: grant.grantee not in GROUPS)
    return document(
        "AccessControlPolicy",
        owner_element(owner, keys),
        element("AccessControlList", *(_grant_element(grant, keys) for grant in grants)),
    )


def owner_element(owner: str, keys: Keys) -> str:
    """Return the element of an owner."""
    return element("Owner", text("ID", owner), text("DisplayName", keys.display_name(owner)))


def _grant_element(grant: Grant, keys: Keys) -> str:
    if grant.grantee in GROUPS:
        kind, fields = "Group", text("URI", grant.grantee)
    else:
        kind = "CanonicalUser"
        name = keys.display_name(grant.grantee)
        fields = text("ID", grant.grantee) + text("DisplayName", name)
    grantee = f'<Grantee xmlns:xsi="{_XSI}" xsi:type="{kind}">{fields}</Grantee>'
    return element("Grant", grantee, text("Permission", grant.permission.value))
