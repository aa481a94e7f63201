"""The NUIDs that the metadata of a bucket refers to."""

from __future__ import annotations

import re
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from jetstow._core.bucket.stream import Stream
from jetstow._core.maintain.markers import Marker
from jetstow._core.maintain.scan import MetadataMessage, scan_metadata
from jetstow._core.protocol import subjects
from jetstow._core.protocol.metadata import MAX_METADATA_SIZE
from jetstow._core.protocol.timestamps import parse_timestamp
from jetstow._core.write.shared_chunks import TWIN
from jetstow.errors import BadObjectMetaError
from jetstow.types import Finding

# Finds NUIDs in metadata that is not valid JSON.
_NUID: Final = re.compile(rb'"nuid"\s*:\s*"([A-Za-z0-9_-]+)"', re.IGNORECASE)

_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Entry:
    """The last metadata message of a name."""

    name: str
    seq: int
    time: int
    nuid: str
    deleted: bool
    twin: str | None


class References:
    """The NUIDs that metadata refers to.

    Metadata that has a later message of the same name counts as well. Some clients leave both in
    the stream, and may read either.
    """

    def __init__(self, stream: Stream, last_seq: int) -> None:
        self.nuids: set[str] = set()
        self.entries: dict[str, Entry] = {}
        self.markers: dict[str, Marker] = {}
        self.findings: dict[int, Finding] = {}
        self._stream = stream
        self._last_seq = last_seq

    async def read(self) -> None:
        """Read all metadata."""
        async with aclosing(scan_metadata(self._stream)) as messages:
            async for message in messages:
                self._add(message)

    async def read_new(self) -> bool:
        """Read the metadata published since; return whether all metadata can be decoded."""
        async with aclosing(scan_metadata(self._stream, after=self._last_seq)) as messages:
            async for message in messages:
                self._last_seq = max(self._last_seq, message.seq)
                self._add(message)
        return not self.findings

    def markers_before(self, before: int, excluded: set[str]) -> list[Marker]:
        """Return the delete markers of that time or earlier, except those of `excluded` names."""
        return [
            marker
            for marker in self.markers.values()
            if marker.time <= before and marker.name not in excluded
        ]

    def _add(self, message: MetadataMessage) -> None:
        name = subjects.object_name(self._stream.subject_bucket, message.subject)
        self.entries.pop(message.subject, None)
        self.markers.pop(message.subject, None)
        try:
            if len(message.data) > MAX_METADATA_SIZE:
                self._add_unparsable(name, message)
                return
            fields: Any = _decode(message.data) if message.data else None
        except (ValueError, RecursionError):
            self._add_unparsable(name, message)
            return
        if not isinstance(fields, dict):
            return  # no field, and so no reference
        # Go's JSON decoder ignores the case of field names.
        values = [value for key, value in fields.items() if key.lower() == "nuid"]
        nuids = [nuid for nuid in values if isinstance(nuid, str) and nuid]
        deleted = fields.get("deleted") is True
        time = parse_timestamp(message.time)
        if not deleted:
            self.nuids.update(nuids)
        elif name is not None:
            self.markers[message.subject] = Marker(name, message.subject, message.seq, time)
        options = fields.get("options")
        is_link = isinstance(options, dict) and options.get("link") is not None
        if name is not None and nuids and not is_link:
            twin = fields.get(TWIN)
            self.entries[message.subject] = Entry(
                name, message.seq, time, nuids[-1], deleted, twin if isinstance(twin, str) else None
            )

    def _add_unparsable(self, name: str | None, message: MetadataMessage) -> None:
        """Add metadata that is not JSON. If it shows no NUID, it may refer to any chunk."""
        nuids = _NUID.findall(message.data)
        self.nuids.update(nuid.decode() for nuid in nuids)
        if not nuids:
            context = self._stream.error_context(name)
            source = f"{context}" if name is not None else f"{message.subject!r} in {context}"
            error = context.error(
                BadObjectMetaError,
                f"metadata of {source} cannot be read: it may refer to any chunk, so no chunk is "
                "removed",
            )
            self.findings[message.seq] = Finding(name, error)
