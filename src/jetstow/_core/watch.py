"""A bucket's changes as they happen: first what is there, then what is new.

The server pushes metadata through a consumer that needs no acknowledgement. Whatever
disturbs it (a lost message, a silent server, a reconnect) is mended here: a new consumer
goes on after the last revision handed out, so nothing is missed and nothing told twice.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from nats.js.object_store import ObjectStore as _NatsObjectStore

from jetstow._core import names
from jetstow._core.delivery import Delivery
from jetstow._core.jetstream import status
from jetstow._core.mailbox import Mailbox
from jetstow._core.stream import Stream
from jetstow._core.wire import decode_info
from jetstow.errors import (
    BadObjectMetaError,
    ConnectionLostError,
    JetstowError,
    JetStreamUnavailableError,
    TimeoutError,
    WatcherStoppedError,
)
from jetstow.models import ObjectInfo

if TYPE_CHECKING:
    from nats.aio.msg import Msg

_log = logging.getLogger("jetstow.watch")

Policy = Literal["all", "last_per_subject", "new"]

# The server shows that it is alive so often; a silence of three times that is the end of a
# consumer, and a new one is asked for. In seconds.
_HEARTBEAT: Final = 2.0
_SILENCE: Final = 3 * _HEARTBEAT

# Between two tries to get a consumer back, in seconds.
_PAUSE: Final = 0.25

# Changes that wait for the user. Beyond them the server waits: see flow control.
_BACKLOG: Final = 256


class _GapError(Exception):
    """The consumer has skipped a message."""


class Feed:
    """The changes of a bucket's names in the order of their revisions, from one consumer.

    None stands between what was there when the feed began and what came later.
    """

    def __init__(self, stream: Stream, policy: Policy) -> None:
        self._stream = stream
        self._policy = policy
        self._marked = policy == "new"
        self._box: Mailbox | None = None
        self._consumer = ""
        self._nothing_left = False
        self._skipping = False
        self._revision = 0
        self._received = 0
        self._created = ""

    async def open(self) -> None:
        """Ask for a consumer, the first or one that goes on where the last one ended."""
        await self.close()
        await self._look_whose_it_is()
        target = self._stream.target()
        box = await self._stream.js.replies.open_private(Mailbox, target, _SILENCE)
        policy = self._policy
        # Before 2.10 the server lets consumers skip what is stored around a purge. To notice
        # it, all messages are asked for. Where other clients wrote several a name, see below.
        self._skipping = self._stream.js.server_version < (2, 10)
        if policy == "last_per_subject" and self._skipping:
            policy = "all"
        config: dict[str, Any] = {
            "deliver_subject": box.address,
            "deliver_policy": policy,
            "filter_subject": names.all_meta(self._stream.bucket),
            "ack_policy": "none",
            "max_deliver": 1,
            "flow_control": True,
            "idle_heartbeat": int(_HEARTBEAT * 10**9),
            "mem_storage": True,
            "num_replicas": 1,
        }
        if self._revision:
            config |= {"deliver_policy": "by_start_sequence", "opt_start_seq": self._revision + 1}
        name = self._stream.name
        body = {"stream_name": name, "config": config}
        try:
            made = await self._stream.js.request(target, f"CONSUMER.CREATE.{name}", body)
        except BaseException:
            box.close()
            raise
        self._box, self._consumer, self._received = box, str(made["name"]), 0
        self._nothing_left = not made.get("num_pending")
        if self._policy == "new" and not self._revision:
            # Should this consumer break before its first message, go on from here.
            self._revision = int(made["delivered"]["stream_seq"])

    async def _look_whose_it_is(self) -> None:
        """Begin anew where the bucket has: deleted and made again, or set back by a crash.

        Its revisions count from 1 again, and to go on after the last one would miss them.
        """
        info = await self._stream.info()
        created, last = info["created"], info["state"]["last_seq"]
        if self._created and (created != self._created or last < self._revision):
            self._policy, self._revision = "last_per_subject", 0
        self._created = created

    async def next(self) -> ObjectInfo | None:
        """The next change, or None once, when all that was there has been told.

        Raises `_GapError`, `TimeoutError` or `ConnectionLostError` where `open` is to be called.
        """
        assert self._box is not None, "a feed is opened first"
        while True:
            if self._nothing_left and not self._marked:
                self._marked = True
                return None
            message = await self._box.next()
            if status(message) is not None:
                await self._obey(self._box, message)
                continue
            place = Delivery.of(message.reply)
            if place.consumer_seq != self._received + 1:
                raise _GapError
            history = False
            if self._skipping:
                await self._check_skipped(place.stream_seq)
                history = await self._is_history(message, place)
            # From here on it counts as told: what may fail comes before.
            self._received, self._revision = place.consumer_seq, place.stream_seq
            self._nothing_left = place.pending == 0
            if not history and (info := self._read(message, place)) is not None:
                return info

    async def _obey(self, box: Mailbox, message: Msg) -> None:
        """Heartbeats tell how far the server thinks it is; flow control wants an answer."""
        headers = message.headers or {}
        if message.reply:
            await box.answer(message.reply)
        elif stalled := headers.get("Nats-Consumer-Stalled"):
            await box.answer(stalled)
        last = headers.get("Nats-Last-Consumer")
        if last is not None and int(last) != self._received:
            raise _GapError
        if last is not None and self._skipping:
            await self._check_skipped(None)

    async def _check_skipped(self, seq: int | None) -> None:
        """Raise `_GapError` if metadata lies between the last change and `seq`, or the end."""
        after = self._revision + 1
        if seq == after:
            return
        target = self._stream.target()
        found = await self._stream.next(target, names.all_meta(self._stream.bucket), after)
        if found is not None and (seq is None or found.seq < seq):
            raise _GapError

    async def _is_history(self, message: Msg, place: Delivery) -> bool:
        """Whether only the last of a name was asked for, and this message is not that."""
        if self._marked or self._policy != "last_per_subject":
            return False
        last = await self._stream.last(self._stream.target(), message.subject)
        return last is not None and last.seq > place.stream_seq

    def _read(self, message: Msg, place: Delivery) -> ObjectInfo | None:
        bucket = self._stream.bucket
        name = names.name_of(bucket, message.subject)
        try:
            if name is not None:
                return decode_info(
                    bucket, name, message.data, revision=place.stream_seq, mtime=place.stamp
                )
        except BadObjectMetaError as error:
            _log.warning("passed over: %s", error)
        return None

    async def close(self) -> None:
        """Leave nothing behind. The server drops a consumer that nobody listens to as well."""
        box, self._box = self._box, None
        if box is None:
            return
        box.close()
        with contextlib.suppress(JetstowError):
            name = f"CONSUMER.DELETE.{self._stream.name}.{self._consumer}"
            await self._stream.js.request(self._stream.target(), name)


class ObjectWatcher(_NatsObjectStore.ObjectWatcher):
    """Tells every change of a bucket: `ObjectInfo`s, and None where the present begins.

    Iterate it, or ask for `updates`. It lives until `stop`, or the end of `async with`.
    """

    def __init__(self, stream: Stream, policy: Policy, *, ignore_deletes: bool) -> None:
        self._target = stream.target()
        self._stream = stream
        self._feed = Feed(stream, policy)
        self._ignore_deletes = ignore_deletes
        self._news: deque[ObjectInfo | None] = deque()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    async def start(self) -> Self:
        """Begin to watch. Raises what prevents it."""
        await self._feed.open()
        self._task = asyncio.create_task(self._run(), name=f"watch {self._target}")
        self._task.add_done_callback(self._ended)
        return self

    async def stop(self) -> None:
        """Tell nothing more. Whoever waits for a change is let go."""
        self._stopped = True
        self._news.clear()
        self._arrived.set()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._feed.close()

    async def updates(self, timeout: float | None = 5.0) -> ObjectInfo | None:
        """The next change, waited for `timeout` seconds at most.

        Raises `TimeoutError`, `WatcherStoppedError`, or what ended the watch:
        `BucketNotFoundError`, `ConnectionLostError`.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._next()
        except builtins.TimeoutError as error:
            if isinstance(error, JetstowError):
                raise
            raise self._target.error(
                TimeoutError, f"nothing changed in {self._target} within {timeout:g} seconds"
            ) from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ObjectInfo | None:
        try:
            return await self._next()
        except WatcherStoppedError:
            raise StopAsyncIteration from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _next(self) -> ObjectInfo | None:
        while not self._news:
            self._check_running()
            self._arrived.clear()
            await self._arrived.wait()
        self._room.set()
        return self._news.popleft()

    def _check_running(self) -> None:
        if self._stopped:
            raise self._target.error(
                WatcherStoppedError, f"the watcher of {self._target} was stopped"
            )
        if self._task is not None and self._task.done():
            self._task.result()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # kept for the next call, so asyncio need not complain of it
        self._arrived.set()

    async def _run(self) -> None:
        while True:
            try:
                change = await self._feed.next()
            except (_GapError, TimeoutError, ConnectionLostError) as error:
                _log.info("watching %s again after %s", self._target, str(error) or "a gap")
                await self._reopen()
                continue
            if change is not None and change.deleted and self._ignore_deletes:
                continue
            while len(self._news) >= _BACKLOG:
                self._room.clear()
                await self._room.wait()
            self._news.append(change)
            self._arrived.set()

    async def _reopen(self) -> None:
        while True:
            try:
                return await self._feed.open()
            except (TimeoutError, ConnectionLostError, JetStreamUnavailableError):
                # nats-py reconnects, or gives up and closes.
                if self._stream.js.nc.is_closed:
                    raise
                await asyncio.sleep(_PAUSE)
