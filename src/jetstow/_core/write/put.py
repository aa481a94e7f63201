"""One write of a name: looked at, uploaded, named."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from nats.js import api

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.bucket import admin
from jetstow._core.bucket.encryption import encryption_header, make_sealer, plain_info
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol import ttl as expiring
from jetstow._core.protocol.metadata import checked_meta
from jetstow._core.protocol.ttl import Expiry
from jetstow._core.read.catalog import NameState, read_state
from jetstow._core.write import update_meta
from jetstow._core.write.commit import check_revision
from jetstow._core.write.upload import Upload, checked_chunk_size
from jetstow.errors import LinkError
from jetstow.models import ObjectInfo, ObjectMeta, ObjectMetaOptions, expires

if TYPE_CHECKING:
    from typing_extensions import Buffer


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks for besides name and bytes; `ttl` is in seconds, `until` a moment."""

    meta: api.ObjectMeta | None = None
    expected_revision: int | None = None
    ttl: float | None = None
    until: datetime.datetime | None = None


class Writing:
    """An object on its way to its name; a context manager. `write` it, then `finish`.

    Left without `finish`, it leaves nothing behind.
    """

    def __init__(
        self,
        stream: Stream,
        meta: ObjectMeta,
        chunk_size: int,
        slot: NameState | None,
        expected: int | None,
        expiry: Expiry | None,
    ) -> None:
        self.name = meta.name or ""
        self.context = stream.error_context(self.name)
        self.chunk_size = chunk_size
        self.size = 0
        self.upload = Upload(stream, self.name, slot, expiry.chunk_headers if expiry else {})
        self._stream = stream
        self._meta = meta
        self._expected = expected
        self._expiry = expiry
        self._sealer = make_sealer(stream, self.context, chunk_size)

    @classmethod
    async def begin(cls, stream: Stream, name: str | None, asked: Asked) -> Self:
        """Check what was asked for; where a revision is expected, look whether it is there.

        Without one, nothing that stands under the name can be in the way: it is read while
        the first chunks travel. Raises `InvalidObjectNameError`, `InvalidOptionError`, `LinkError`,
        `ObjectAlreadyExists` or `RevisionMismatchError`.
        """
        named = name or (asked.meta.name if asked.meta is not None else None) or ""
        context = stream.error_context(subjects.check_object_name(stream.bucket, named))
        checked = checked_meta(stream.bucket, named, asked.meta, ours=stream.shows_stored)
        options = checked.options or ObjectMetaOptions()
        if options.link is not None:
            raise context.error(
                LinkError, f"{context} cannot be put as a link: use add_link or add_bucket_link"
            )
        until = asked.until or expires(checked.headers)
        ttl = (
            expiring.check_ttl(context, asked.ttl)
            if until is None
            else expiring.seconds_until(until)
        )
        if ttl is not None:
            await admin.enable_message_ttl(stream, context)
            ttl = expiring.limit_to_bucket_age(ttl, stream.config.get("max_age") or 0)
        room = expiring.TTL_HEADER_SIZE if ttl is not None else 0
        chunk_size = checked_chunk_size(stream, named, options.max_chunk_size, room)
        checked.options = ObjectMetaOptions(max_chunk_size=chunk_size)
        if stream.key is not None:
            checked.headers = (checked.headers or {}) | encryption_header(chunk_size)
        slot = None
        if asked.expected_revision is not None:
            slot = await read_state(stream, named)
            check_revision(stream, named, slot, asked.expected_revision)
        timed = None if ttl is None else Expiry(context, ttl, until)
        return cls(stream, checked, chunk_size, slot, asked.expected_revision, timed)

    async def __aenter__(self) -> Self:
        await self.upload.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.upload.end()

    async def write(self, data: Buffer) -> None:
        """Add bytes: a chunk, or what is left for the last one."""
        self.size += memoryview(data).nbytes
        if self._sealer is None:
            await self.upload.write(data)
        else:
            for sealed in self._sealer.add(data):
                await self.upload.write(sealed)

    async def finish(self) -> ObjectInfo:
        """Wait until all chunks are stored, then give them their name.

        A cancellation waits for the name: it comes before it, or after it.
        """
        if self._sealer is not None:
            await self.upload.write(self._sealer.finish())
        written = await self.upload.finish()
        slot = await self.upload.slot()
        meta = self._meta if self._expiry is None else self._expiry.stamp(self._meta)
        named = update_meta.give_name(
            self._stream, self.upload, written, meta, slot, self._expected
        )
        return plain_info(self._stream, await uncancelled(named))
