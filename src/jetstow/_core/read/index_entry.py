"""What an index keeps of an object, and its decoder."""

from __future__ import annotations

import datetime
from typing import Any, Final

import msgspec

from jetstow._core.bucket.encryption import plain_info
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.digest import format_digest, parse_digest
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.metadata import MAX_METADATA_SIZE, decode_info
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.protocol.versions import current_info, split_hidden_name
from jetstow.errors import BadObjectMetaError
from jetstow.models import ObjectInfo

_SECOND: Final = 10**9


class IndexEntry(msgspec.Struct, frozen=True, gc=False):
    """An object in an index.

    `size` is in bytes, `time` is the server's time of the last change in nanoseconds since 1970,
    and `expires` that of its own expiry (0: none). `raw_digest` has 32 bytes, or is empty if the
    object has no digest. `metadata` has the values of the names that the index was opened with, in
    their order, None for a name that the object does not have; it is empty if it has none of them.
    In a versioned bucket, `version` is the id; `is_kept` is whether the version is not the current
    one, and `is_marker` whether it is a delete marker.
    """

    name: str
    revision: int
    size: int
    time: int
    raw_digest: bytes = b""
    nuid: str = ""
    metadata: tuple[str | None, ...] = ()
    expires: int = 0
    is_link: bool = False
    version: str = ""
    is_kept: bool = False
    is_marker: bool = False

    def is_expired(self, now: int, oldest: int) -> bool:
        """Return whether it has expired at a time, or is older than the oldest objects may be."""
        return self.time < oldest or 0 < self.expires <= now

    @property
    def modified(self) -> datetime.datetime:
        """`time` as an aware datetime."""
        seconds, nanoseconds = divmod(self.time, _SECOND)
        whole = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        return whole.replace(microsecond=nanoseconds // 1_000)

    @property
    def digest(self) -> str:
        """The SHA-256 digest in the form of `ObjectInfo.digest`; empty if there is none."""
        return format_digest(self.raw_digest) if self.raw_digest else ""


class Removed(msgspec.Struct, frozen=True, gc=False):
    """A name without an object: it is deleted, or its metadata cannot be read.

    `marker` is its delete marker, if that is a version.
    """

    name: str
    marker: IndexEntry | None = None


Change = IndexEntry | Removed


class _Common(msgspec.Struct):
    """The usual case: an object without headers that concern its size or expiry."""

    nuid: str
    size: int = 0
    digest: str | None = None
    deleted: bool | None = None
    metadata: dict[str, str] | None = None
    headers: dict[str, Any] | None = None
    options: dict[str, Any] | None = None


_decode_common = msgspec.json.Decoder(_Common).decode


class EntryDecoder:
    """Decodes the messages of a consumer of metadata. Only `metadata` of each object is kept."""

    def __init__(self, stream: Stream, metadata: tuple[str, ...]) -> None:
        self._stream = stream
        self._metadata = metadata

    def decode(self, message: Message, facts: MsgMetadata) -> Change:
        """Return the change that a message is. For subjects without a name, see `stored_name`."""
        name = subjects.object_name(self._stream.subject_bucket, message.subject)
        if name is None:
            return Removed(stored_name(self._stream, message.subject))
        data = message.data
        if len(data) <= MAX_METADATA_SIZE and self._stream.versioning is None:
            try:
                found = _decode_common(data)
            except (ValueError, RecursionError):
                return self._decode_any(name, data, facts)
            if found.headers is None and (found.options is None or "link" not in found.options):
                if found.deleted:
                    return Removed(name)
                raw = parse_digest(found.digest or "") or b""
                kept = self._kept(found.metadata)
                nuid = "" if raw else found.nuid
                return IndexEntry(
                    name, facts.stream_seq, found.size, facts.time, raw, nuid, kept, 0, False
                )
        return self._decode_any(name, data, facts)

    def _decode_any(self, name: str, data: bytes, facts: MsgMetadata) -> Change:
        stream = self._stream
        try:
            info = decode_info(
                stream.bucket, name, data, revision=facts.stream_seq, mtime=facts.timestamp
            )
        except BadObjectMetaError:
            return Removed(name)
        return self.change(info, facts.time)

    def change(self, info: ObjectInfo, time: int) -> Change:
        """Return the change that the metadata of a name is, as it is stored."""
        if not info.deleted:
            return self.entry(info, time)
        info = plain_info(self._stream, info)
        return Removed(info.name, None if info.version is None else self.entry(info, time))

    def entry(self, info: ObjectInfo, time: int) -> IndexEntry:
        """Return the entry of an object as it is stored; `time` as in an entry."""
        split, is_versioned = None, self._stream.versioning is not None
        if is_versioned and (split := split_hidden_name(info.name)) is not None:
            info = current_info(*split, info)
        info = plain_info(self._stream, info)
        if is_versioned and info.mtime:
            time = parse_timestamp(info.mtime)  # a version keeps its time
        raw = parse_digest(info.digest or "") or b""
        return IndexEntry(
            name=info.name,
            revision=info.revision,
            size=info.size or 0,
            time=time,
            raw_digest=raw,
            nuid="" if raw else info.nuid,
            metadata=self._kept(info.metadata),
            expires=_expiry(info),
            is_link=info.is_link(),
            version=info.version or "",
            is_kept=split is not None,
            is_marker=bool(info.deleted),
        )

    def _kept(self, metadata: dict[str, str] | None) -> tuple[str | None, ...]:
        if not metadata or metadata.keys().isdisjoint(self._metadata):
            return ()
        return tuple(map(metadata.get, self._metadata))


def stored_name(stream: Stream, subject: str) -> str:
    """Return the name in a metadata subject, or the subject with a NUL if it has none."""
    return subjects.object_name(stream.subject_bucket, subject) or f"\0{subject}"


def _expiry(info: ObjectInfo) -> int:
    expires = info.expires
    return 0 if expires is None else max(1, int(expires.timestamp() * _SECOND))
