"""GetObjectAcl: the owner and the grants of an object."""

from __future__ import annotations

from jetstow.s3.acl import Permission
from jetstow.s3.acl_requests import acl_document
from jetstow.s3.call import Call
from jetstow.s3.ownership import object_access
from jetstow.s3.result import Result
from jetstow.s3.versions import find_version, read_headers


async def get_object_acl(call: Call) -> Result:
    """Return the ACL."""
    info = await find_version(call.bucket, call.key, call.version)
    call.check_object(call.bucket, info, Permission.READ_ACP)
    access = object_access(call.bucket, info, call.owner)
    document = acl_document(access.owner, access.acl, call.services.keys)
    return Result(headers=read_headers(call.bucket, info), xml=document)
