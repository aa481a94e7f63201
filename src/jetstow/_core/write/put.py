"""Put: store an object's chunks, publish its metadata, purge the chunks that it replaced.

The chunks are published under a new NUID and are invisible until the metadata names them. A put
that fails before that purges them: after an error, an exception in the source, or a cancellation.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from nats.js import api

from jetstow._core.aio import telemetry
from jetstow._core.aio.cancellation import discard_task, uncancelled
from jetstow._core.aio.source import Source
from jetstow._core.bucket.encryption import make_encryptor, new_header, plain_info
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol.api_errors import MESSAGE_TTL_DISABLED
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.headers import joined_headers
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.ttl import Expiry
from jetstow._core.read.name_state import NameState, guess_state, read_state
from jetstow._core.write.commit import Commit
from jetstow._core.write.purge import (
    Committed,
    live_info,
    purge_at_end,
    purge_replaced,
    purge_unfinished,
)
from jetstow._core.write.put_options import (
    PutOptions,
    check_changed_meta,
    check_expected_digest,
    editable_meta,
)
from jetstow._core.write.upload import Upload
from jetstow.errors import JetstowError, PermissionDeniedError, ServerError
from jetstow.models import ObjectInfo, ObjectMeta
from jetstow.types import Progress

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Put:
    """One put of an object: `write` chunks, then `finish`. An async context manager.

    Without `finish`, leaving it purges the chunks.
    """

    def __init__(
        self,
        stream: Stream,
        context: ErrorContext,
        meta: ObjectMeta,
        chunk_size: int,
        options: PutOptions,
        state: NameState | None,
        expiry: Expiry | None,
    ) -> None:
        self.name = meta.name or ""
        self.context = context
        self.chunk_size = chunk_size
        self.plain_size = 0
        self.nuid = new_nuid()
        self._stream = stream
        self._meta = meta
        self._expected_revision = options.expected_revision
        self._state = state
        self._reading_state: asyncio.Task[NameState] | None = None
        self._expiry = expiry
        self.encryptor = make_encryptor(stream, context, chunk_size)
        self._size, self._digest = 0, Digest()
        self._expected_digest = options.expected_digest
        is_digest_used = options.computes_digest or options.expected_digest is not None
        self._plain_digest = Digest() if is_digest_used and self.encryptor is not None else None
        self._keeps_replaced, self._is_dated = options.keep_replaced, options.dated
        self._upload = Upload(stream, context, self.nuid, expiry.chunk_headers if expiry else None)
        self._commit: Commit | None = None
        self.keeps_chunks = False  # for another put to resume, although no metadata names them

    async def store(self, source: Source, progress: Progress | None) -> ObjectInfo:
        """Store all bytes of a source as the object."""
        async with self:
            if source.memory is not None and 0 < source.memory.nbytes <= self.chunk_size:
                await self.write(source.memory)
                if progress is not None:
                    progress(self.plain_size, source.size)
            else:
                async with aclosing(source.chunks(self.chunk_size)) as chunks:
                    async for chunk in chunks:
                        await self.write(chunk)
                        if progress is not None:
                            progress(self.plain_size, source.size)
            return await self.finish()

    # -- the steps of a put ------------------------------------------------------------------

    async def write(self, data: Buffer) -> None:
        """Publish the next chunk. Wait for space in the window, not for the acknowledgement.

        The first one is published with the second one, or by `finish`.
        """
        view = memoryview(data)
        self.plain_size += view.nbytes
        if self.encryptor is None:
            await self._write_chunk(view)
        else:
            if self._plain_digest is not None:
                self._plain_digest.update(view)
            for encrypted in self.encryptor.update(data):
                await self._write_chunk(memoryview(encrypted))

    async def finish(self) -> ObjectInfo:
        """Wait until every chunk is stored, publish the metadata, purge what it replaced.

        A cancellation takes effect before the metadata is published or after the purge is sent.

        Raises: `DigestMismatchError` (the bytes are not those that were expected).
        """
        if self._expected_digest is not None:
            check_expected_digest(self.context, self.digest, self._expected_digest)
        await self._send_last_chunk()
        known = self._stream.names.get(self.name)
        commit = await self._prepare_commit()
        await self._upload.finish()
        # The entry is another one if this client has written or read the name in the meantime.
        if commit is None or self._stream.names.get(self.name) is not known:
            commit = self._new_commit(await self._current_state())
        self._commit = commit
        try:
            committed = await self._commit_and_purge(commit)
        except asyncio.CancelledError:
            if commit.may_be_stored:
                with suppress(JetstowError):
                    await uncancelled(self._commit_and_purge(commit), is_cancelled=True)
            raise
        return plain_info(self._stream, committed.info)

    @property
    def may_be_named(self) -> bool:
        """Whether metadata that names the chunks is stored, or may be."""
        return self._commit is not None and self._commit.may_be_stored

    @property
    def digest(self) -> Digest:
        """The digest of the bytes written so far, before their encryption."""
        return self._digest if self._plain_digest is None else self._plain_digest

    @property
    def editable_meta(self) -> ObjectMeta:
        """A copy of the metadata, to change and to pass to `set_meta`."""
        return editable_meta(self._meta)

    def set_meta(self, meta: api.ObjectMeta | None) -> None:
        """Replace the metadata that `finish` publishes; the chunk size stays.

        Raises: `InvalidOptionError`.
        """
        checked = check_changed_meta(self._stream, self.context, meta)
        self._meta = replace(checked, options=self._meta.options)

    def expect(self, revision: int | None) -> None:
        """Let `finish` succeed only if the name is at a revision, whatever was expected before."""
        self._expected_revision = revision
        discard_task(self._reading_state)
        self._reading_state = self._state = None  # read again: it may be older than the revision

    async def end(self, error: object = None) -> None:
        """Release the resources of the put, and purge its chunks unless they are to be kept."""
        discard_task(self._reading_state)
        try:
            if not self._leaves_chunks and self._upload.may_have_stored:
                # A cancelled task must not leave its chunks behind, either.
                await uncancelled(self._purge_own_chunks(error))
        finally:
            self._upload.close()

    def check_loop(self) -> None:
        """Raise `WrongEventLoopError` in another event loop than that of the connection."""
        self._stream.api.inbox.loop.check(self.context)

    # -- for resumable puts ------------------------------------------------------------------

    def resume(self, nuid: str, chunks: int, size: int, digest: Digest) -> None:
        """Continue after chunks that an earlier put stored, which do not expire."""
        self.nuid = nuid
        self._upload = Upload(self._stream, self.context, nuid, None, chunks)
        self._size, self.plain_size, self._digest = size, size, digest

    async def wait_stored(self) -> None:
        """Seal the last chunk of an encrypted object. Wait until every chunk is stored."""
        await self._send_last_chunk()
        await self._upload.finish()

    # -- inside ------------------------------------------------------------------------------

    @property
    def _leaves_chunks(self) -> bool:
        # Chunks without a name waste space; a name without chunks would lose the object.
        return self.keeps_chunks or self.may_be_named

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _: object, error: object, __: object) -> None:
        if isinstance(error, ServerError) and error.err_code == MESSAGE_TTL_DISABLED:
            # The bucket was created again since. The next put enables it.
            self._stream.config.pop("allow_msg_ttl", None)
        await self.end(error)
        if isinstance(error, asyncio.CancelledError) and not self._leaves_chunks:
            error.add_note(f"{self.context} was not stored")

    async def _write_chunk(self, chunk: memoryview) -> None:
        if self._reading_state is not None and self._reading_state.done():
            self._reading_state.result()  # if the name cannot be read, no chunk is of use
        elif self._state is None and self._stream.names.must_ask and self._reading_state is None:
            self._reading_state = asyncio.create_task(read_state(self._stream, self.context))
        self._digest.update(chunk)
        await self._upload.write(chunk)
        self._size += chunk.nbytes
        telemetry.count_chunk("written", self._stream.bucket, chunk.nbytes)

    async def _send_last_chunk(self) -> None:
        if self.encryptor is not None:
            await self._write_chunk(memoryview(self.encryptor.finalize()))
        await self._upload.flush()

    async def _prepare_commit(self) -> Commit | None:
        """Encode the metadata while the last chunk is under way, if it needs no other request."""
        if self._expiry is not None or (state := self._guess_state()) is None:
            return None
        commit = self._new_commit(state)
        await commit.prepare()
        return commit

    def _new_commit(self, state: NameState) -> Commit:
        info, is_guess = self._info(), state is not self._state
        settings = self._stream, self.context, lambda _: info, state, self._expected_revision
        return Commit(*settings, dated=self._is_dated, is_guess=is_guess)

    def _guess_state(self) -> NameState | None:
        """Return the state at which this client last saw the name; None if it has to be read."""
        is_read = self._state is not None or self._reading_state is not None
        # A guess lacks what `keep_replaced` returns, and may be older than an expected revision.
        if is_read or self._keeps_replaced or self._expected_revision is not None:
            return None
        return guess_state(self._stream, self.context)

    async def _current_state(self) -> NameState:
        """Return the state of the name: as it was read, or as this client last saw it."""
        if self._state is None and self._reading_state is not None:
            self._state = await self._reading_state
            self._stream.names.check(self.name, self._state.revision)
        if self._state is None and (guess := self._guess_state()) is not None:
            return guess
        self._state = self._state or await read_state(self._stream, self.context)
        return self._state

    def _info(self) -> ObjectInfo:
        meta = self._meta if self._expiry is None else self._expiry.add_to(self._meta)
        headers = joined_headers(meta.headers) if meta.headers else None
        if self.encryptor is not None:
            layout = self.encryptor.layout
            headers = joined_headers(headers, new_header(self._stream, self.name, layout))
        return ObjectInfo(
            self.name, self._stream.bucket, self.nuid, self._size, None, self._upload.count,
            str(self._digest), False, meta.description, headers, meta.options, meta.metadata,
        )  # fmt: skip

    async def _commit_and_purge(self, commit: Commit) -> Committed:
        committed = await commit.run()
        if self._keeps_replaced:
            committed.info.replaced = live_info(self._stream, committed.replaced)
        elif committed.replaced.info is not None:
            await purge_replaced(self._stream, self.context, committed)
        return committed

    async def _purge_own_chunks(self, error: object) -> None:
        # The server has separate queues for publishes and purges: a purge that overtakes chunks
        # leaves them behind. So wait for the replies to all chunks (docs/decisions/0004).
        stream, context = self._stream, self.context
        if stream.api.inbox.loop.is_ending:
            await purge_at_end(stream, context, self.nuid)
            return
        try:
            await self._upload.wait_for_replies()
        except PermissionDeniedError:
            return  # no chunk was stored
        except JetstowError:
            pass
        if self._upload.may_have_stored:
            chunks = self._upload.count, self.chunk_size
            await purge_unfinished(stream, context, self.nuid, *chunks, error)
