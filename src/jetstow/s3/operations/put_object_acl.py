"""PutObjectAcl: replace the grants of an object."""

from __future__ import annotations

from jetstow.models import ObjectInfo
from jetstow.s3.acl import Permission, private_acl
from jetstow.s3.acl_requests import parse_acl
from jetstow.s3.call import Call
from jetstow.s3.changes import change_entry
from jetstow.s3.events.rules import ACL_PUT
from jetstow.s3.ownership import (
    acl_entries,
    check_public,
    check_uses_acls,
    object_owner,
    stored_owner,
)
from jetstow.s3.reserved import ACL
from jetstow.s3.result import Result
from jetstow.s3.versions import read_headers


async def put_object_acl(call: Call) -> Result:
    """Replace the ACL."""
    body = await call.payload.read_document()

    def new_value(info: ObjectInfo) -> str | None:
        bucket = call.bucket
        call.check_object(bucket, info, Permission.WRITE_ACP)
        owner = object_owner(bucket, stored_owner(info), call.owner)
        keys = call.services.keys
        acl = parse_acl(call.request.headers, body, keys, owner, bucket.owner or owner)
        if acl != private_acl(owner):
            check_uses_acls(bucket)
        check_public(bucket, acl)
        return acl_entries(owner, acl).get(ACL)

    info = await change_entry(call, ACL, ACL_PUT, new_value)
    return Result(headers=read_headers(call.bucket, info))
