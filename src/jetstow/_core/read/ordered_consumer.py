"""An ordered consumer of a bucket's metadata: NATS's term for a consumer that is replaced on a gap.

The server pushes metadata messages to a consumer without acknowledgements. If the server falls
silent or a message is missing, `next` raises an error. `reopen` then creates another consumer. It
starts after the last revision returned, so each change is returned exactly once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, Generic, Literal, TypeVar

from jetstow._core.bucket.consumer import delete_consumer, request_consumer
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.message import Message, status
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.read.replica_lag import ReplicaLag
from jetstow._core.transport.mailbox import Mailbox
from jetstow.errors import (
    ConnectionLostError,
    JetStreamUnavailableError,
    PermissionDeniedError,
    ServerError,
    TimeoutError,
)

T = TypeVar("T")

Policy = Literal["all", "last_per_subject", "new"]

# The interval of the server's heartbeats, and the time without any message after which a consumer
# is replaced: two missed heartbeats. In seconds.
_HEARTBEAT: Final = 2.0
_MAX_SILENCE: Final = 2 * _HEARTBEAT + 0.5

# The delay between two attempts to create a consumer again, in seconds.
_REOPEN_DELAY: Final = 0.25

# Heartbeats in a row that report a consumer as stalled although its flow control was answered.
_MAX_STALLED_HEARTBEATS: Final = 2

# Consumers in a row that deliver nothing. The server may delete one without interest at any time.
_MAX_SILENT_CONSUMERS: Final = 2

# What to check if messages do not arrive.
_CHECK_IMPORTS: Final = (
    "if the JetStream API is imported from another account, import this subject, too, or use an "
    "inbox_prefix that is imported"
)


class GapError(Exception):
    """The consumer skipped a message."""


class OrderedConsumer(Generic[T]):
    """The changes of a bucket's names in the order of their revisions.

    `policy` is the deliver policy of the first consumer. `decode` returns the change that a message
    is, or None to skip it.
    """

    def __init__(
        self, stream: Stream, policy: Policy, decode: Callable[[Message, MsgMetadata], T | None]
    ) -> None:
        self._stream = stream
        self._policy = policy
        self._decode = decode
        self._initial_done = policy == "new"
        self._mailbox: Mailbox | None = None
        self._consumer = ""
        self._caught_up = False
        self._may_skip = False
        self._revision = 0
        self._received = 0
        self._lag = ReplicaLag(stream)
        self._created: str | None = None
        # The server's time at which the consumer was created, in its format.
        self.opened_at = ""
        self._is_silent = True
        self._silent_consumers = 0
        self._stalled_heartbeats = 0

    async def open(self) -> None:
        """Create a consumer: the first one, or one that continues after the last revision.

        Raises: `BucketNotFoundError`, `ConnectionLostError`, `TimeoutError`, and other errors of
        the server.
        """
        await self.close()
        is_first = self._created is None
        await self._check_bucket()
        context = self._stream.error_context()
        mailbox = await self._stream.api.inbox.open_subscription(Mailbox, context, _MAX_SILENCE)
        policy = self._policy
        # Before 2.10, the server lets consumers skip messages that are stored during a purge. Only
        # a consumer of all messages shows gaps. `_is_superseded` then filters older messages of a
        # name, which some clients leave in the stream.
        self._may_skip = self._stream.api.server_version < (2, 10)
        if policy == "last_per_subject" and self._may_skip:
            policy = "all"
        config: dict[str, Any] = {
            "deliver_subject": mailbox.address,
            "deliver_policy": policy,
            "filter_subject": subjects.all_meta_subject(self._stream.subject_bucket),
            "ack_policy": "none",
            "max_deliver": 1,
            "flow_control": True,
            "idle_heartbeat": int(_HEARTBEAT * 10**9),
            # Without a subscriber, the server would delete it after 5 seconds by default.
            "inactive_threshold": int(2 * _MAX_SILENCE * 10**9),
            "mem_storage": True,
            "num_replicas": 1,
        }
        if self._revision:
            config |= {"deliver_policy": "by_start_sequence", "opt_start_seq": self._revision + 1}
        try:
            reply = await request_consumer(self._stream, context, config)
        except BaseException:
            mailbox.close()
            raise
        self._mailbox, self._consumer, self._received = mailbox, str(reply["name"]), 0
        self.opened_at = str(reply["created"])
        self._is_silent, self._stalled_heartbeats = True, 0
        if not is_first:
            # The bucket may have been created again since the first check.
            await self._stream.check_same(self._created)
        self._caught_up = not reply.get("num_pending")
        if self._policy == "new" and not self._revision:
            # If this consumer fails before its first message, the next one continues from here.
            self._revision = int(reply["delivered"]["stream_seq"])

    async def reopen(self) -> None:
        """Call `open` until it succeeds.

        Raises: `BucketNotFoundError`, `PermissionDeniedError`, and the error of the last attempt if
        the connection is closed.
        """
        while True:
            try:
                return await self.open()
            except (TimeoutError, ConnectionLostError, JetStreamUnavailableError):
                # nats-py reconnects, or gives up and closes the connection.
                if self._stream.api.nc.is_closed:
                    raise
                await asyncio.sleep(_REOPEN_DELAY)

    async def _check_bucket(self) -> None:
        """Check that the bucket is the one of the first consumer.

        If it lost messages in a crash, its revisions are reused: continuing after the last one
        would miss some. The next consumer then delivers all current objects.

        Raises: `BucketNotFoundError` (it was deleted, or deleted and created again).
        """
        info = await self._stream.check_same(self._created)
        last_seq = info["state"]["last_seq"]
        if last_seq < self._revision:
            self._policy, self._revision = "last_per_subject", 0
        if self._created is None:
            self._lag.target = last_seq
        self._created = info["created"]

    @property
    def revision(self) -> int:
        """The revision of the last change."""
        return self._revision

    async def next(self) -> T | None:
        """Return the next change, or None once: after the current objects.

        Raises: `GapError`, `TimeoutError` or `ConnectionLostError` (call `reopen`),
        `PermissionDeniedError` (the messages do not arrive here).
        """
        assert self._mailbox is not None, "the consumer is not open"
        while True:
            if self._caught_up and not self._initial_done:
                if not await self._lag.lacks_initial(self._revision):
                    self._initial_done = True
                    return None
                self._caught_up = False
            message = await self._next_message(self._mailbox)
            if status(message) is not None:
                continue
            metadata = MsgMetadata.parse(message.reply)
            if metadata.consumer_seq != self._received + 1:
                raise GapError
            is_superseded = False
            if self._may_skip:
                await self._check_skipped(metadata.stream_seq)
                is_superseded = await self._is_superseded(message, metadata)
            # Only now does the message count as received: the steps before it can fail.
            self._received, self._revision = metadata.consumer_seq, metadata.stream_seq
            self._caught_up = metadata.pending == 0
            if not is_superseded and (change := self._decode(message, metadata)) is not None:
                return change

    async def _next_message(self, mailbox: Mailbox) -> Message:
        """Return the next message, and handle it if it is a heartbeat or flow control."""
        has_waited = mailbox.is_empty
        try:
            message = await mailbox.next()
        except TimeoutError:
            await self._check_deliveries(mailbox)
            raise
        self._is_silent, self._silent_consumers = False, 0
        if status(message) is not None:
            await self._handle_status(mailbox, message, has_waited=has_waited)
        else:
            self._stalled_heartbeats = 0
        return message

    async def _handle_status(self, mailbox: Mailbox, message: Message, *, has_waited: bool) -> None:
        """Handle a heartbeat, with the last sequence sent to the consumer, or flow control."""
        headers = message.headers or {}
        if message.reply:
            await mailbox.respond(message.reply)
        elif stalled := headers.get("Nats-Consumer-Stalled"):
            # Heartbeats that were not read in time were sent before the answer.
            self._stalled_heartbeats = self._stalled_heartbeats + 1 if has_waited else 0
            if self._stalled_heartbeats > _MAX_STALLED_HEARTBEATS:
                raise self._delivery_error("the server does not receive the flow control", stalled)
            await mailbox.respond(stalled)
        last_seq = headers.get("Nats-Last-Consumer")
        if last_seq is not None and int(last_seq) != self._received:
            raise GapError
        if last_seq is not None and self._may_skip:
            await self._check_skipped(None)
            self._caught_up = True  # the pending counts of the messages may be wrong, too
        elif last_seq is not None and has_waited and self._stream.replicas > 1:
            if await self._lag.is_stuck(self._revision):
                raise GapError  # the next consumer may be on another replica
            self._caught_up = self._caught_up or not self._lag.is_missing

    async def _check_deliveries(self, mailbox: Mailbox) -> None:
        """Check that a consumer that has delivered nothing, not even a heartbeat, is gone.

        Raises: `PermissionDeniedError` (it exists: its messages do not arrive here).
        """
        if not self._is_silent:
            return
        self._silent_consumers += 1
        context, name = self._stream.error_context(), self._stream.name
        try:
            await self._stream.api.request(context, f"CONSUMER.INFO.{name}.{self._consumer}")
        except ServerError:
            if self._silent_consumers < _MAX_SILENT_CONSUMERS:
                return
        raise self._delivery_error("the server's messages do not arrive", mailbox.address)

    def _delivery_error(self, problem: str, subject: str) -> PermissionDeniedError:
        context = self._stream.error_context()
        error = context.error(
            PermissionDeniedError,
            f"{context} cannot be watched: {problem} on {subject!r}; {_CHECK_IMPORTS}",
        )
        error.subject = subject
        return error

    async def _check_skipped(self, seq: int | None) -> None:
        """Raise `GapError` if metadata is between the last change and `seq` (None: the end)."""
        start = self._revision + 1
        if seq == start:
            return
        stored = await self._stream.next_message(
            self._stream.error_context(),
            subjects.all_meta_subject(self._stream.subject_bucket),
            start,
        )
        if stored is not None and (seq is None or stored.seq < seq):
            raise GapError

    async def _is_superseded(self, message: Message, metadata: MsgMetadata) -> bool:
        """Return whether only last messages were requested, and the name has a later one."""
        if self._initial_done or self._policy != "last_per_subject":
            return False
        last = await self._stream.last_message(self._stream.error_context(), message.subject)
        return last is not None and last.seq > metadata.stream_seq

    async def close(self) -> None:
        """Delete the consumer. If that fails, the server deletes it: it has no subscriber."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is None:
            return
        mailbox.close()
        if not self._stream.api.nc.is_connected:
            return
        await delete_consumer(self._stream, self._stream.error_context(), self._consumer)
