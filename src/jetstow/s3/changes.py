"""Change the reserved metadata of an object: its bytes and all else stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from jetstow.errors import ObjectDeletedError, RevisionMismatchError
from jetstow.models import ObjectInfo
from jetstow.s3.call import Call
from jetstow.s3.errors import S3Error
from jetstow.s3.events.record import event_note
from jetstow.s3.objects import modified_entry
from jetstow.s3.reserved import EVENT
from jetstow.s3.versions import find_version

# A change that loses a race is repeated so often: each time, another client has changed the object.
ATTEMPTS: Final = 20


async def change_entry(
    call: Call, name: str, event: str, new_value: Callable[[ObjectInfo], str | None]
) -> ObjectInfo:
    """Set an entry of the object's metadata, or remove it if `new_value(info)` is None.

    It is the version that the request selects, and stays that version.
    `event` is the event of the change, which is a new revision of the object.

    Raises: what `find_version` raises, what `new_value` raises, `S3Error` (OperationAborted: others
    change the object all the time).
    """
    store, version = call.bucket.store, call.version
    for _ in range(ATTEMPTS):
        info = await find_version(call.bucket, call.key, version)
        value = new_value(info)
        metadata = dict(info.metadata or {})
        before = metadata.pop(name, None)
        if before == value:
            return info
        if value is not None:
            metadata[name] = value
        metadata |= modified_entry(info)
        metadata[EVENT] = event_note(event, info.revision)
        meta = replace(info.meta, metadata=metadata)
        try:
            return await store.update_meta(
                call.key, meta, expected_revision=info.revision, version=version
            )
        except (RevisionMismatchError, ObjectDeletedError):
            continue
    raise S3Error("OperationAborted")
