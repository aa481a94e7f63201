"""One write of a name: looked at, uploaded, named."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from nats.js import api

from jetstow._core import names, objects
from jetstow._core.catalog import Slot, read_slot
from jetstow._core.commit import check_revision
from jetstow._core.shield import to_the_end
from jetstow._core.stream import Stream
from jetstow._core.upload import Upload, checked_chunk_size
from jetstow._core.wire import checked_meta
from jetstow.errors import LinkError
from jetstow.models import ObjectInfo, ObjectMeta, ObjectMetaOptions


class Writing:
    """An object on its way to its name. Fill `upload`, in chunks of `chunk_size`; `finish`."""

    def __init__(
        self,
        stream: Stream,
        meta: ObjectMeta,
        chunk_size: int,
        slot: Slot | None,
        expected: int | None,
    ) -> None:
        self.name = meta.name or ""
        self.target = stream.target(self.name)
        self.chunk_size = chunk_size
        self.upload = Upload(stream, self.name, slot)
        self._stream = stream
        self._meta = meta
        self._expected = expected

    @classmethod
    async def begin(
        cls,
        stream: Stream,
        name: str | None,
        meta: api.ObjectMeta | None,
        expected_revision: int | None,
    ) -> Self:
        """Check what was asked for; where a revision is expected, look whether it is there.

        Without one, nothing that stands under the name can be in the way: it is read while
        the first chunks travel. Raises `InvalidObjectNameError`, `InvalidOptionError`, `LinkError`,
        `ObjectAlreadyExists` or `RevisionMismatchError`.
        """
        named = name or (meta.name if meta is not None else None) or ""
        target = stream.target(names.check_object(stream.bucket, named))
        checked = checked_meta(stream.bucket, named, meta)
        options = checked.options or ObjectMetaOptions()
        if options.link is not None:
            raise target.error(
                LinkError, f"{target} cannot be put as a link: use add_link or add_bucket_link"
            )
        chunk_size = checked_chunk_size(stream, named, options.max_chunk_size)
        checked = replace(checked, options=ObjectMetaOptions(max_chunk_size=chunk_size))
        slot = None
        if expected_revision is not None:
            slot = await read_slot(stream, named)
            check_revision(stream, named, slot, expected_revision)
        return cls(stream, checked, chunk_size, slot, expected_revision)

    async def finish(self) -> ObjectInfo:
        """Wait until all chunks are stored, then give them their name.

        A cancellation waits for the name: it comes before it, or after it.
        """
        written = await self.upload.finish()
        slot = await self.upload.slot()
        return await to_the_end(
            objects.give_name(self._stream, self.upload, written, self._meta, slot, self._expected)
        )
