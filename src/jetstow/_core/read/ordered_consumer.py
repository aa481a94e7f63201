"""A bucket's changes, from one consumer after another.

The server pushes metadata through a consumer that needs no acknowledgement. Where it falls
silent or leaves a message out, `next` says so, and `open` goes on with another one after the
last revision handed out: nothing is missed, and nothing told twice.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any, Final, Literal

from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.message import Message, status
from jetstow._core.protocol.metadata import decode_info
from jetstow._core.protocol.msg_metadata import MsgMetadata
from jetstow._core.transport.mailbox import Mailbox
from jetstow.errors import BadObjectMetaError, JetstowError
from jetstow.models import ObjectInfo

_log = logging.getLogger("jetstow.watch")

Policy = Literal["all", "last_per_subject", "new"]

# The server shows that it is alive so often; a silence of three times that is the end of a
# consumer, and a new one is asked for. In seconds.
_HEARTBEAT: Final = 2.0
_MAX_SILENCE: Final = 3 * _HEARTBEAT


class GapError(Exception):
    """The consumer has skipped a message."""


class OrderedConsumer:
    """The changes of a bucket's names in the order of their revisions, from one consumer.

    None stands between what was there when the feed began and what came later.
    """

    def __init__(self, stream: Stream, policy: Policy) -> None:
        self._stream = stream
        self._policy = policy
        self._initial_done = policy == "new"
        self._mailbox: Mailbox | None = None
        self._consumer = ""
        self._caught_up = False
        self._may_skip = False
        self._revision = 0
        self._received = 0
        self._created = ""

    async def open(self) -> None:
        """Ask for a consumer, the first or one that goes on where the last one ended."""
        await self.close()
        await self._check_bucket_recreated()
        context = self._stream.error_context()
        box = await self._stream.api.inbox.open_subscription(Mailbox, context, _MAX_SILENCE)
        policy = self._policy
        # Before 2.10 the server lets consumers skip what is stored around a purge. To notice
        # it, all messages are asked for. Where other clients wrote several a name, see below.
        self._may_skip = self._stream.api.server_version < (2, 10)
        if policy == "last_per_subject" and self._may_skip:
            policy = "all"
        config: dict[str, Any] = {
            "deliver_subject": box.address,
            "deliver_policy": policy,
            "filter_subject": subjects.all_meta_subject(self._stream.bucket),
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
            made = await self._stream.api.request(context, f"CONSUMER.CREATE.{name}", body)
        except BaseException:
            box.close()
            raise
        self._mailbox, self._consumer, self._received = box, str(made["name"]), 0
        self._caught_up = not made.get("num_pending")
        if self._policy == "new" and not self._revision:
            # Should this consumer break before its first message, go on from here.
            self._revision = int(made["delivered"]["stream_seq"])

    async def _check_bucket_recreated(self) -> None:
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

        Raises `GapError`, `TimeoutError` or `ConnectionLostError` where `open` is to be called.
        """
        assert self._mailbox is not None, "a feed is opened first"
        while True:
            if self._caught_up and not self._initial_done:
                self._initial_done = True
                return None
            message = await self._mailbox.next()
            if status(message) is not None:
                await self._handle_status(self._mailbox, message)
                continue
            place = MsgMetadata.parse(message.reply)
            if place.consumer_seq != self._received + 1:
                raise GapError
            history = False
            if self._may_skip:
                await self._check_skipped(place.stream_seq)
                history = await self._is_history(message, place)
            # From here on it counts as told: what may fail comes before.
            self._received, self._revision = place.consumer_seq, place.stream_seq
            self._caught_up = place.pending == 0
            if not history and (info := self._decode(message, place)) is not None:
                return info

    async def _handle_status(self, box: Mailbox, message: Message) -> None:
        """Heartbeats tell how far the server thinks it is; flow control wants an answer."""
        headers = message.headers or {}
        if message.reply:
            await box.respond(message.reply)
        elif stalled := headers.get("Nats-Consumer-Stalled"):
            await box.respond(stalled)
        last = headers.get("Nats-Last-Consumer")
        if last is not None and int(last) != self._received:
            raise GapError
        if last is not None and self._may_skip:
            await self._check_skipped(None)
            self._caught_up = True  # what the messages said of that may be wrong as well

    async def _check_skipped(self, seq: int | None) -> None:
        """Raise `GapError` if metadata lies between the last change and `seq`, or the end."""
        after = self._revision + 1
        if seq == after:
            return
        context = self._stream.error_context()
        found = await self._stream.next(
            context, subjects.all_meta_subject(self._stream.bucket), after
        )
        if found is not None and (seq is None or found.seq < seq):
            raise GapError

    async def _is_history(self, message: Message, place: MsgMetadata) -> bool:
        """Whether only the last of a name was asked for, and this message is not that."""
        if self._initial_done or self._policy != "last_per_subject":
            return False
        last = await self._stream.last(self._stream.error_context(), message.subject)
        return last is not None and last.seq > place.stream_seq

    def _decode(self, message: Message, place: MsgMetadata) -> ObjectInfo | None:
        bucket = self._stream.bucket
        name = subjects.object_name(bucket, message.subject)
        try:
            if name is not None:
                return decode_info(
                    bucket, name, message.data, revision=place.stream_seq, mtime=place.timestamp
                )
        except BadObjectMetaError as error:
            _log.warning("passed over: %s", error)
        return None

    async def close(self) -> None:
        """Leave nothing behind. The server drops a consumer that nobody listens to as well."""
        box, self._mailbox = self._mailbox, None
        if box is None:
            return
        box.close()
        if not self._stream.api.nc.is_connected:
            return
        with contextlib.suppress(JetstowError):
            name = f"CONSUMER.DELETE.{self._stream.name}.{self._consumer}"
            await self._stream.api.request(self._stream.error_context(), name)
