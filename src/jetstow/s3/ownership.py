"""Settings of a bucket: who owns objects, whether ACLs count, which public ones are blocked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jetstow.models import ObjectInfo
from jetstow.s3.acl import Acl, dump_acl, is_public, load_acl, private_acl
from jetstow.s3.acl_requests import ACL_HEADER, parse_acl_headers
from jetstow.s3.auth.authenticate import Identity
from jetstow.s3.auth.keys import Keys
from jetstow.s3.buckets import BucketState
from jetstow.s3.errors import S3Error
from jetstow.s3.reserved import ACL, OWNER, OWNERSHIP, PUBLIC_ACCESS

# Objects belong to the owner of the bucket, and ACLs do not count.
ENFORCED: Final = "BucketOwnerEnforced"
# Objects belong to the owner of the bucket if the writer gives them full control.
PREFERRED: Final = "BucketOwnerPreferred"
# Objects belong to the writer. It is the default, as in Ceph: then ACLs work.
WRITER: Final = "ObjectWriter"
OWNERSHIPS: Final = (ENFORCED, PREFERRED, WRITER)

_FULL_CONTROL: Final = "bucket-owner-full-control"

# The flags of a PublicAccessBlockConfiguration.
BLOCK_ACLS: Final = "BlockPublicAcls"
IGNORE_ACLS: Final = "IgnorePublicAcls"
BLOCK_POLICY: Final = "BlockPublicPolicy"
RESTRICT_PUBLIC: Final = "RestrictPublicBuckets"
PUBLIC_ACCESS_FLAGS: Final = (BLOCK_ACLS, IGNORE_ACLS, BLOCK_POLICY, RESTRICT_PUBLIC)


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """The owner and the ACL of an object."""

    owner: str
    acl: Acl


def uses_acls(bucket: BucketState) -> bool:
    """Return whether the ACLs of a bucket count."""
    return bucket.owner is not None and bucket.settings.get(OWNERSHIP) != ENFORCED


def check_uses_acls(bucket: BucketState) -> None:
    """Raise AccessControlListNotSupported if the ACLs of a bucket do not count."""
    if bucket.owner is None:
        message = "The bucket has no owner: another NATS client created it."
        raise S3Error("AccessControlListNotSupported", message)
    if not uses_acls(bucket):
        raise S3Error("AccessControlListNotSupported")


def public_access_flags(bucket: BucketState) -> frozenset[str]:
    """Return the flags of the bucket's public access block that are set."""
    return frozenset(bucket.settings.get(PUBLIC_ACCESS, "").split(","))


def check_public(bucket: BucketState, acl: Acl) -> None:
    """Check an ACL against the public access block. Raises: `S3Error` (AccessDenied)."""
    if is_public(acl) and BLOCK_ACLS in public_access_flags(bucket):
        message = "public access is prevented by the BlockPublicAcls setting of the bucket"
        raise S3Error("AccessDenied", message)


def bucket_acl(bucket: BucketState) -> Acl:
    """Return the ACL of a bucket that has an owner."""
    acl = load_acl(bucket.settings.get(ACL))
    return private_acl(bucket.owner or "") if acl is None else acl


def object_owner(bucket: BucketState, stored: str | None, caller: str | None) -> str:
    """Return the owner of an object; `stored` is that in its metadata.

    In a bucket without an owner, that is the caller.
    """
    bucket_owner = bucket.owner or caller or ""
    if stored is None or not uses_acls(bucket):
        return bucket_owner
    return stored


def stored_owner(info: ObjectInfo) -> str | None:
    """Return the owner in the metadata of an object, or None."""
    return (info.metadata or {}).get(OWNER)


def object_access(bucket: BucketState, info: ObjectInfo, caller: str | None) -> ObjectAccess:
    """Return the owner and the ACL of an object."""
    owner, acl = object_owner(bucket, stored_owner(info), caller), None
    if uses_acls(bucket):
        acl = load_acl((info.metadata or {}).get(ACL))
    return ObjectAccess(owner, private_acl(owner) if acl is None else acl)


def acl_entries(owner: str, acl: Acl) -> dict[str, str]:
    """Return the metadata that has an ACL: none for a private one."""
    return {} if acl == private_acl(owner) else {ACL: dump_acl(acl)}


def new_object_entries(
    bucket: BucketState, identity: Identity, headers: Mapping[str, str], keys: Keys
) -> dict[str, str]:
    """Return the metadata of a new object that has its owner and its ACL.

    Raises: `S3Error` (AccessControlListNotSupported, AccessDenied: a public ACL is blocked, and
    what `parse_acl_headers` raises).
    """
    bucket_owner = bucket.owner
    writer = identity.owner or bucket_owner or ""
    acl = parse_acl_headers(headers, keys, writer, bucket_owner or writer)
    if not uses_acls(bucket):
        # S3 refuses `private` in a bucket with enforced ownership. A bucket of another NATS client
        # has no ownership to choose, and s3fs (FUSE) and s3cmd send `private` with each object.
        accepted = {_FULL_CONTROL} if bucket_owner is not None else {_FULL_CONTROL, "private"}
        if acl is not None and headers.get(ACL_HEADER) not in accepted:
            check_uses_acls(bucket)
        return {}
    ownership = bucket.settings.get(OWNERSHIP, WRITER)
    if ownership == PREFERRED and headers.get(ACL_HEADER) == _FULL_CONTROL:
        return {}
    entries = {} if writer == bucket_owner else {OWNER: writer}
    if acl is not None:
        check_public(bucket, acl)
        entries |= acl_entries(writer, acl)
    return entries
