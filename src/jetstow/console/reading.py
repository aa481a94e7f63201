"""Objects that a caller may read: with the checks that the gateway makes for GetObject."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from jetstow import ObjectReader
from jetstow.models import ObjectInfo
from jetstow.s3.acl import Permission
from jetstow.s3.call import Call
from jetstow.s3.errors import MISSING, to_s3_error
from jetstow.s3.versions import find_version


async def open_readable(call: Call, *, prefetch: bool = False) -> ObjectReader:
    """Open the object of a call. Links are followed. `prefetch` is that of `ObjectStore.open`.

    Raises: `S3Error` (AccessDenied, NoSuchKey, NoSuchVersion, InvalidRequest: it is encrypted with
    a customer's key), what `open` raises.
    """
    with _hiding_missing(call):
        reader = await call.open_object(call.bucket, call.key, call.version, prefetch=prefetch)
    try:
        call.check_object(call.bucket, reader.info, Permission.READ)
    except BaseException:
        await reader.close()
        raise
    return reader


async def readable_info(call: Call) -> ObjectInfo:
    """Return the metadata of the object of a call; for a link, that of the link.

    Raises: `S3Error` (AccessDenied, NoSuchKey, NoSuchVersion), what `get_info` raises.
    """
    with _hiding_missing(call):
        info = await find_version(call.bucket, call.key, call.version)
    call.check_object(call.bucket, info, Permission.READ)
    return info


@contextmanager
def _hiding_missing(call: Call) -> Iterator[None]:
    """Report that there is no object only to those who may list the bucket."""
    try:
        yield
    except Exception as error:
        if to_s3_error(error).code in MISSING:
            call.check_missing_object(call.bucket)
        raise
