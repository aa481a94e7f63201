"""Complete an upload: decide how its object comes to be, publish it, remove the upload."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

import msgspec

from jetstow.errors import (
    ConnectionLostError,
    JetStreamUnavailableError,
    ServerError,
    TimeoutError,
)
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.s3.call import Call
from jetstow.s3.conditions import WriteConditions, expected_revision, find_info
from jetstow.s3.errors import S3Error
from jetstow.s3.multipart.assembly import Assembly, PartLostError
from jetstow.s3.multipart.completion import (
    Wanted,
    check_declared,
    check_size,
    combined_checksum,
    combined_etag,
    refuse_declared,
    select_parts,
)
from jetstow.s3.multipart.model import Part, Upload
from jetstow.s3.multipart.table import PartTable, upload_of
from jetstow.s3.multipart.uploads import Uploads
from jetstow.s3.objects import nuid_digest, sum_entries
from jetstow.s3.reserved import DIGEST, PARTS, UPLOAD

# After these errors of a commit, it is unknown whether the object was published.
_UNKNOWN_OUTCOME: Final = (
    TimeoutError,
    ConnectionLostError,
    JetStreamUnavailableError,
    asyncio.CancelledError,
)


async def finish_upload(
    call: Call, upload_id: str, wanted: Sequence[Wanted], conditions: WriteConditions
) -> ObjectInfo:
    """Complete an upload. Return the object.

    Raises: `S3Error` (the upload does not exist, the parts are not as the request states, the
    conditions do not hold): the upload stays as it is.
    """
    uploads = call.uploads
    upload, _ = await uploads.find(call.bucket, call.key, upload_id)
    key = uploads.keys.key_for_completion(upload, call.bucket.customer_key)
    call.opened_bucket = call.bucket.with_key(key)
    in_order = await uploads.in_order(call.bucket, upload)
    # A request that is repeated waits until the first has completed the upload.
    async with in_order.completing():
        upload, revision = await uploads.find(call.bucket, call.key, upload_id)
        recorded = await uploads.records.parts(upload)
        try:
            return await _finish(call, upload, revision, recorded, wanted, conditions)
        except S3Error as error:
            # Another gateway may have completed it since: then this error is not the reason.
            await uploads.find(call.bucket, call.key, upload_id)
            if isinstance(error, PartLostError):
                await _remove_lost(uploads, upload, recorded, error.part)
            raise


async def _finish(
    call: Call,
    upload: Upload,
    revision: int,
    recorded: Mapping[int, Part],
    wanted: Sequence[Wanted],
    conditions: WriteConditions,
) -> ObjectInfo:
    parts = select_parts(wanted, recorded)
    entries = _entries(call, upload, parts)
    info = await find_info(call.bucket.store, call.key)
    # If it has the id, a gateway ended between the commit and the removal of the upload.
    if info is None or upload_of(info) != upload.id:
        async with expected_revision(call.bucket.store, call.key, conditions) as expected:
            info = await _publish(call, upload, revision, parts, entries, expected)
    await call.uploads.remove(upload, list(recorded.values()))
    return info


async def _remove_lost(
    uploads: Uploads, upload: Upload, recorded: Mapping[int, Part], lost: Part
) -> None:
    """Remove the record of a part that was lost, so that the client can send it again.

    If chunks were removed, those of other parts are gone, too.
    """
    for part in recorded.values():
        if part is lost or (lost.nuid and part.nuid):
            await uploads.records.remove_part(upload, part)


def _entries(call: Call, upload: Upload, parts: Sequence[Part]) -> dict[str, str]:
    """Return what the object's metadata has because it was uploaded in parts.

    Raises: `S3Error` (what the request declares about the object is not so).
    """
    check_size(call.request, parts)
    if upload.key_check:
        refuse_declared(call.request)
        return {PARTS: str(PartTable(tuple(part.size for part in parts))), UPLOAD: upload.id}
    checksum = combined_checksum(upload, parts)
    check_declared(call.request, upload, parts, checksum)
    algorithm = upload.final_algorithm
    sums = [algorithm.decode(part.sums[algorithm.name]) or b"" for part in parts]
    table = PartTable(tuple(part.size for part in parts), algorithm.name, tuple(sums))
    entries = {PARTS: str(table), UPLOAD: upload.id}
    return entries | sum_entries(combined_etag(parts), checksum, "")


async def _publish(
    call: Call,
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
    uploads = call.uploads
    assembly = Assembly(call.bucket, upload, parts, uploads.records, uploads.spool)
    attributes = upload.attributes

    def finished(digest: str) -> ObjectMeta:
        reserved = attributes.reserved | entries
        reserved[DIGEST] = entries.get(DIGEST) or digest
        return replace(attributes, reserved=reserved).meta(upload.key)

    marked = None
    if not upload.is_completing:
        claim = msgspec.structs.replace(upload, is_completing=True)
        marked = await uploads.records.change(claim, revision)
    in_order = await uploads.in_order(call.bucket, upload)
    writer = None if marked is None else assembly.begun_by(in_order)
    try:
        if writer is not None:
            in_order.turns.end()
            # If chunks are missing, reading the parts shows which of them are lost.
            with suppress(ServerError):
                return await assembly.store(writer, len(in_order.parts), finished, expected)
        copy = await call.bucket.data_store.open(upload.key, "wb", attributes.meta(upload.key))
        if upload.key_check:
            entries[DIGEST] = nuid_digest(copy.nuid)
        info = await assembly.store(copy, 0, finished, expected)
    except BaseException as error:
        # If the metadata may be published yet, the mark stays: nothing may purge the chunks.
        if marked is not None and not isinstance(error, _UNKNOWN_OUTCOME):
            await uploads.records.change(upload, marked)
        raise
    if marked is not None:
        await uploads.purge_chunks(call.bucket, upload)
    return info
