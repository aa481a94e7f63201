"""The event of a metadata message: which one it is, its subject, and S3's JSON record of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

import msgspec

from jetstow._core.protocol.versions import (
    Versioning,
    is_published_again,
    removed_version,
    set_version,
    split_hidden_name,
)
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.buckets import Bucket
from jetstow.s3.events.rules import COMPLETE, COPY, DELETE, DELETE_MARKER, EVENTS, PUT, Rule
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
    """An event of a key, and of a version of it. `id` is the same if it is published again.

    `info` is the metadata of the message. With `is_of_kept`, the message removes the hidden name of
    a version: that is the removal of the version, unless it is the current one now.
    """

    name: str
    key: str
    info: ObjectInfo
    version: str | None = None
    is_of_kept: bool = False

    @property
    def id(self) -> str:
        """The id, by which streams remove duplicates."""
        return f"{self.info.bucket}.{self.info.revision}"

    @property
    def subject(self) -> str:
        """The subject that it is published on."""
        return f"{SUBJECTS}.{self.info.bucket}.{self.name.replace(':', '.')}"

    def encode(self, bucket: Bucket, rule: Rule) -> bytes:
        """Return the JSON of the event."""
        return msgspec.json.encode({"Records": [_record(self, bucket, rule)]})


def event_note(event: str, revision: int) -> str:
    """Return the entry of an object's metadata by which a change of the gateway is recognized.

    `revision` is the one that the change replaces. Another client may copy the entry: the message
    then replaces another revision.
    """
    return f"{event} {revision}"


def event_of(
    info: ObjectInfo, headers: Mapping[str, str], versioning: Versioning | None
) -> Event | None:
    """Return the event of a metadata message.

    None: it is a step of a rename, or it keeps a version that is replaced.
    """
    if versioning is None:
        name = DELETE if info.deleted else _created_name(info, headers)
        return None if name is None else Event(name, info.name, info)
    if (hidden := split_hidden_name(info.name)) is not None:
        key, version = hidden
        return Event(DELETE, key, info, version, is_of_kept=True) if info.deleted else None
    set_version(versioning, info)
    if (removed := removed_version(info)) is not None:
        return Event(DELETE, info.name, info, removed)
    name = DELETE_MARKER if info.deleted else _created_name(info, headers)
    if name is None or (info.deleted and info.version is None):
        return None
    return Event(name, info.name, info, info.version)


def _created_name(info: ObjectInfo, headers: Mapping[str, str]) -> str | None:
    """Return the name of the event of an object that exists."""
    if _TWIN_REVISION in info.extra:
        return None
    metadata = info.metadata or {}
    name, _, replaced = metadata.get(EVENT, "").partition(" ")
    if name in EVENTS and replaced and replaced == headers.get(_REPLACED):
        return name
    if _TWIN in info.extra or is_published_again(info):
        return COPY
    if name in EVENTS and not replaced:
        return name
    return COMPLETE if UPLOAD in metadata else PUT


def _record(event: Event, bucket: Bucket, rule: Rule) -> dict[str, Any]:
    info = event.info
    described: dict[str, Any] = {"key": quote_plus(event.key, safe="/")}
    if event.name not in (DELETE, DELETE_MARKER):
        described |= {"size": info.size, "eTag": objects.etag(info).strip('"')}
    if event.version is not None:
        described["versionId"] = event.version
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
