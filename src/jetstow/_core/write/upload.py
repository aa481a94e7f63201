"""A new object's chunks: cut, digested and stored under a subject that nobody knows yet.

Until the metadata names them (`commit.py`) the chunks are invisible, and an upload that does
not get that far takes them back: after an error, an exception in the source, or a cancelled
task.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from jetstow._core.aio import telemetry
from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.digest import Digest
from jetstow._core.protocol.metadata import DEFAULT_CHUNK_SIZE
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.read.catalog import NameState, read_state
from jetstow._core.write.publisher import ROOM_FOR_ID, Publisher
from jetstow.errors import InvalidOptionError, JetstowError, PermissionDeniedError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_log = logging.getLogger("jetstow.upload")


def checked_chunk_size(stream: Stream, name: str, asked: object, room: int = 0) -> int:
    """The chunk size in bytes: what was asked for, or 128 KiB (ADR-20).

    A chunk travels with its identity, and with what else takes `room`: all of it has to fit.

    Raises `InvalidOptionError` outside of 1 to the server's `max_payload`.
    """
    most = stream.api.nc.max_payload
    fitting = max(1, most - ROOM_FOR_ID - room)
    if asked is None:
        return min(DEFAULT_CHUNK_SIZE, fitting)
    if not isinstance(asked, int) or isinstance(asked, bool) or not 1 <= asked <= most:
        context = stream.error_context(name)
        raise context.error(
            InvalidOptionError,
            f"max_chunk_size of {context} must be 1 to {most} bytes (the server's max_payload), "
            f"not {asked!r}",
        )
    return min(asked, fitting)


@dataclass(frozen=True, slots=True)
class Written:
    """What was stored: the chunks' NUID, and what their metadata has to say of them."""

    nuid: str
    size: int
    chunks: int
    digest: str


class Upload:
    """The chunks of one object on their way, from `start` to `end`; a context manager.

    Ended without `keep`, by an exception or without, it leaves no chunk behind. What stands
    under the name now (`slot`) is read while the chunks travel, unless it is known already.
    Every chunk has the `headers`.
    """

    def __init__(
        self,
        stream: Stream,
        name: str,
        slot: NameState | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.nuid = new_nuid()
        self.size = 0
        self._name = name
        self._slot = slot
        self._headers = headers or {}
        self._looking: asyncio.Task[NameState] | None = None
        self._stream = stream
        self._context = stream.error_context(name)
        self._subject = subjects.chunk_subject(stream.bucket, self.nuid)
        self._digest = Digest()
        self._publisher: Publisher | None = None
        self._kept = False
        self._chunks_before = 0

    def take_over(self, nuid: str, chunks: int, size: int, digest: Digest) -> None:
        """Go on after chunks that lie under a NUID already. To be called before `start`."""
        self.nuid, self.size = nuid, size
        self._digest, self._chunks_before = digest, chunks
        self._subject = subjects.chunk_subject(self._stream.bucket, nuid)

    async def start(self) -> Self:
        """Make ready to write. Raises `ConnectionLostError` or `PermissionDeniedError`."""
        self._publisher = Publisher(self._stream, self._context, self._subject, self._headers)
        self._publisher.adopt(self._chunks_before)
        await self._publisher.start()
        if self._slot is None:
            self._looking = asyncio.create_task(read_state(self._stream, self._name))
        return self

    async def end(self) -> None:
        """Take the chunks back, unless they are to be kept."""
        publisher = self._started
        if self._looking is not None:
            _drop(self._looking)
        if not self._kept and publisher.ledger.sent:
            # A cancelled task gets this far too, and may not leave its chunks behind.
            await uncancelled(self._take_back(publisher))
        publisher.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def write(self, chunk: Buffer) -> None:
        """Store the next chunk. Waits for room in the window, not for the acknowledgement."""
        if self._looking is not None and self._looking.done():
            self._looking.result()  # where the name cannot be read, no chunk is of use
        view = memoryview(chunk)
        self._digest.update(view)
        await self._started.write(view)
        self.size += view.nbytes
        telemetry.count_chunk("written", self._stream.bucket, view.nbytes)

    async def finish(self) -> Written:
        """Wait until every chunk is stored."""
        await self._started.finish()
        return Written(self.nuid, self.size, self._started.ledger.sent, str(self._digest))

    async def slot(self) -> NameState:
        """What stood under the name at the beginning. Raises what reading it raised."""
        if self._looking is not None:
            self._slot = await self._looking
        assert self._slot is not None, "an upload is started first"
        return self._slot

    def keep(self) -> None:
        """The chunks have a name now, or may have one: leave them where they are."""
        self._kept = True

    @property
    def _started(self) -> Publisher:
        assert self._publisher is not None, "an upload is started first"
        return self._publisher

    async def _take_back(self, publisher: Publisher) -> None:
        # The server works off publishes and purges in two queues: a purge that overtakes
        # chunks leaves them behind, so wait until all of them are answered.
        try:
            await publisher.settle()
        except PermissionDeniedError:
            return  # nothing of it got in
        except JetstowError:
            pass
        stream, name = self._stream, self._context.name or ""
        if not stream.api.nc.is_connected:
            stream.api.inbox.state.run_when_connected(lambda: _sweep(stream, name, self.nuid))
        elif publisher.ledger.may_have_stored:
            await drop_chunks(stream, name, self.nuid)


def _drop(task: asyncio.Task[NameState]) -> None:
    task.cancel()
    if task.done() and not task.cancelled():
        task.exception()  # seen, so that asyncio does not complain of it


async def _sweep(stream: Stream, name: str, nuid: str) -> None:
    """Drop the chunks of an upload that was given up while there was no connection."""
    await drop_chunks(stream, name, nuid)
    # Some may have been in the server's queue, and the purge has overtaken them.
    if await stream.count(stream.error_context(name), subjects.chunk_subject(stream.bucket, nuid)):
        await drop_chunks(stream, name, nuid)


async def drop_chunks(stream: Stream, name: str, nuid: str) -> None:
    """Purge chunks that no name refers to any more.

    A failure is logged, not raised: what the caller did has happened, and the chunks left
    behind are invisible.
    """
    context = stream.error_context(name)
    try:
        await stream.purge(context, subjects.chunk_subject(stream.bucket, nuid))
    except JetstowError as error:
        _log.warning("unused chunks of %s (%s) stay behind: %s", context, nuid, error)
