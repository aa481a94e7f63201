"""DeleteObjects: delete up to 1,000 objects, with a result for each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from jetstow.s3.call import Call
from jetstow.s3.conditions import WriteConditions
from jetstow.s3.deletes import Deleted, delete_one
from jetstow.s3.errors import S3Error, to_s3_error
from jetstow.s3.object_lock import bypasses_governance
from jetstow.s3.request import check_key
from jetstow.s3.result import Result
from jetstow.s3.xml.parsing import Node, parse_xml
from jetstow.s3.xml.writing import document, element, text

_MAX_OBJECTS: Final = 1000
_CONCURRENT: Final = 32

# An Object has up to five children.
_MAX_ELEMENTS: Final = 10 * _MAX_OBJECTS


@dataclass(frozen=True, slots=True)
class _Target:
    """An object to delete."""

    key: str
    version: str | None
    conditions: WriteConditions


async def delete_objects(call: Call) -> Result:
    """Delete the objects that the body names."""
    if not call.payload.is_protected:
        message = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"
        raise S3Error("InvalidRequest", message)
    root = parse_xml(await call.payload.read_document(), "Delete", _MAX_ELEMENTS)
    targets = [_parse_target(node) for node in root.children("Object")]
    if not 1 <= len(targets) <= _MAX_OBJECTS:
        raise S3Error("MalformedXML")
    is_quiet = (root.value("Quiet") or "").lower() == "true"
    slots = asyncio.Semaphore(_CONCURRENT)

    async def delete(target: _Target) -> Deleted | S3Error:
        async with slots:
            return await _delete(call, target)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(delete(target)) for target in targets]
    results = zip(targets, (task.result() for task in tasks), strict=True)
    return Result(
        xml=document("DeleteResult", *(_entry(*result, is_quiet=is_quiet) for result in results))
    )


def _parse_target(node: Node) -> _Target:
    key = node.raw_value("Key")
    if not key:
        raise S3Error("MalformedXML", "An Object needs a Key.")
    conditions = WriteConditions(
        node.value("ETag"), size=node.value("Size"), modified=node.value("LastModifiedTime")
    )
    return _Target(key, node.value("VersionId"), conditions)


async def _delete(call: Call, target: _Target) -> Deleted | S3Error:
    """Delete one object. Return its error: those of the others do not depend on it."""
    try:
        check_key(target.key)
        version = target.version or None
        call.check("DeleteObject", target.key, version)
        return await delete_one(
            call.buckets,
            call.bucket,
            target.key,
            version,
            target.conditions,
            bypass_governance=bypasses_governance(call, target.key),
        )
    except Exception as error:  # noqa: BLE001 - each error is part of the response
        return to_s3_error(error)


def _entry(target: _Target, result: Deleted | S3Error, *, is_quiet: bool) -> str:
    fields = text("Key", target.key) + text("VersionId", target.version or None)
    if isinstance(result, S3Error):
        return element("Error", fields, text("Code", result.code), text("Message", result.message))
    if result.is_marker:
        fields += text("DeleteMarker", True) + text("DeleteMarkerVersionId", result.version)
    return "" if is_quiet else element("Deleted", fields)
