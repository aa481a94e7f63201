"""The event of a metadata message: which one it is, its subject, and S3's JSON record of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

import msgspec

from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.buckets import Bucket
from jetstow.s3.events.rules import COMPLETE, COPY, DELETE, EVENTS, PUT, Rule
from jetstow.s3.ownership import object_owner, stored_owner
from jetstow.s3.reserved import EVENT, UPLOAD
from jetstow.s3.xml.writing import format_time

SUBJECTS: Final = "jetstow.s3"

# The header with the revision that a message replaces. Clients that compare and set send it, and
# the server stores it.
_REPLACED: Final = "Nats-Expected-Last-Subject-Sequence"
# The fields with which a rename marks its two names (decision 0006). An object with the revision
# has its old name, and the rename is about to remove it.
_TWIN: Final = "jetstow_twin"
_TWIN_REVISION: Final = "jetstow_twin_revision"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of an object. `id` is the same whenever the event is published again."""

    name: str
    subject: str
    id: str
    info: ObjectInfo

    def encode(self, bucket: Bucket, rule: Rule) -> bytes:
        """Return the JSON of the event."""
        return msgspec.json.encode({"Records": [_record(self, bucket, rule)]})


def event_note(event: str, revision: int) -> str:
    """Return the entry of an object's metadata by which a change of the gateway is recognized.

    `revision` is the one that the change replaces. Another client may copy the entry: the message
    then replaces another revision.
    """
    return f"{event} {revision}"


def event_of(info: ObjectInfo, headers: Mapping[str, str]) -> Event | None:
    """Return the event of a metadata message. None: it is a step of a rename."""
    name = _event_name(info, headers)
    if name is None:
        return None
    subject = f"{SUBJECTS}.{info.bucket}.{name.replace(':', '.')}"
    return Event(name, subject, f"{info.bucket}.{info.revision}", info)


def _event_name(info: ObjectInfo, headers: Mapping[str, str]) -> str | None:
    if info.deleted:
        return DELETE
    if _TWIN_REVISION in info.extra:
        return None
    metadata = info.metadata or {}
    name, _, replaced = metadata.get(EVENT, "").partition(" ")
    if name in EVENTS and replaced and replaced == headers.get(_REPLACED):
        return name
    if _TWIN in info.extra:
        return COPY
    if name in EVENTS and not replaced:
        return name
    return COMPLETE if UPLOAD in metadata else PUT


def _record(event: Event, bucket: Bucket, rule: Rule) -> dict[str, Any]:
    info = event.info
    described: dict[str, Any] = {"key": quote_plus(info.name, safe="/")}
    if not info.deleted:
        described |= {"size": info.size, "eTag": objects.etag(info).strip('"')}
    # S3 compares sequencers of one key as hexadecimal numbers of the same length.
    described["sequencer"] = f"{info.revision:016X}"
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": "" if info.modified is None else format_time(info.modified),
        "eventName": event.name,
        # A message of NATS has neither its author nor an address.
        "userIdentity": {"principalId": object_owner(bucket, stored_owner(info), None)},
        "requestParameters": {"sourceIPAddress": ""},
        "responseElements": {"x-amz-request-id": "", "x-amz-id-2": ""},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": rule.id,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": bucket.owner or ""},
                "arn": f"arn:aws:s3:::{bucket.name}",
            },
            "object": described,
        },
    }
