"""Complete an upload: decide how its object comes to be, publish it, remove the upload."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.s3.call import Call
from jetstow.s3.conditions import WriteConditions, expecting, find_info
from jetstow.s3.multipart.assembly import Assembly
from jetstow.s3.multipart.completion import (
    Wanted,
    check_declared,
    combined_checksum,
    combined_etag,
    select_parts,
)
from jetstow.s3.multipart.model import Part, Upload
from jetstow.s3.multipart.table import PARTS, UPLOAD, PartTable, upload_of
from jetstow.s3.multipart.uploads import Uploads
from jetstow.s3.objects import Attributes, sum_entries
from jetstow.s3.reserved import DIGEST


async def finish_upload(
    call: Call, upload_id: str, wanted: Sequence[Wanted], conditions: WriteConditions
) -> ObjectInfo:
    """Complete an upload. Return the object.

    Raises: `S3Error` (the upload does not exist, the parts are not as the request states, the
    conditions do not hold): the upload stays as it is.
    """
    uploads = call.uploads
    upload, _ = await uploads.find(call.bucket, call.key, upload_id)
    in_order = await uploads.in_order(call.bucket, upload)
    async with in_order.completing:
        # A request that was repeated has waited until the first has completed the upload.
        upload, revision = await uploads.find(call.bucket, call.key, upload_id)
        recorded = await uploads.records.parts(upload)
        parts = select_parts(wanted, recorded)
        entries = _entries(call, upload, parts)
        existing = await find_info(call.bucket.store, call.key)
        if existing is not None and upload_of(existing) == upload_id:
            # A gateway ended between the commit and the removal of the upload.
            await uploads.remove(upload, list(recorded.values()))
            return existing
        async with expecting(call.bucket.store, call.key, conditions) as expected:
            info = await _publish(call, uploads, upload, revision, parts, entries, expected)
        await uploads.remove(upload, list(recorded.values()))
        return info


def _entries(call: Call, upload: Upload, parts: Sequence[Part]) -> dict[str, str]:
    """Return what the object's metadata has because it was uploaded in parts.

    Raises: `S3Error` (what the request declares about the object is not so).
    """
    checksum = combined_checksum(upload, parts)
    check_declared(call.request, upload, parts, checksum)
    algorithm = upload.final_algorithm
    sums = [algorithm.decode(part.sums[algorithm.name]) or b"" for part in parts]
    table = PartTable(tuple(part.size for part in parts), algorithm.name, tuple(sums))
    entries = {PARTS: str(table), UPLOAD: upload.id}
    return entries | sum_entries(combined_etag(parts), checksum, "")


async def _publish(
    call: Call,
    uploads: Uploads,
    upload: Upload,
    revision: int,
    parts: Sequence[Part],
    entries: dict[str, str],
    expected: int | None,
) -> ObjectInfo:
    """Publish the object: the one that has the first parts, or a copy of all.

    The gateway that marks the record first may give its chunks a name, or purge them. Another
    one that completes the same upload copies, and leaves the chunks.
    """
    store, assembly = call.bucket.store, Assembly(call.bucket, upload, parts, uploads.spool)
    attributes = upload.attributes

    def finished(digest: str) -> ObjectMeta:
        reserved = attributes.reserved | entries | {DIGEST: digest}
        return Attributes(attributes.headers, attributes.metadata, reserved).meta(upload.key)

    marked = None
    if not upload.is_completing:
        claim = msgspec.structs.replace(upload, is_completing=True)
        marked = await uploads.records.change(claim, revision)
    in_order = await uploads.in_order(call.bucket, upload)
    writer = None if marked is None else assembly.begun_by(in_order)
    try:
        if writer is not None:
            in_order.turns.end()
            return await assembly.store(writer, len(in_order.parts), finished, expected)
        copy = await store.open(upload.key, "wb", attributes.meta(upload.key))
        info = await assembly.store(copy, 0, finished, expected)
    except BaseException:
        if marked is not None:
            await uploads.records.change(upload, marked)
        raise
    if marked is not None:
        await uploads.purge_chunks(call.bucket, upload)
    return info
