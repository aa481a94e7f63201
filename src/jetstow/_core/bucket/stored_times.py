"""Read the times at which the server stored messages, which acknowledgements do not contain.

A request that the server reads together with its message is answered before the message is stored
(measured on 2.11 to 2.15). So the request for one message follows a moment later, while the
acknowledgement is under way. With other requests in flight, the server stores later: then the
requests for all messages that are acknowledged in an iteration of the event loop are one batch
(docs/decisions/0024).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, Protocol

from jetstow._core.bucket.publish_reply import PublishReply
from jetstow._core.bucket.stored_message import (
    StoredTime,
    decode_stored_message,
    parse_stored_times,
)
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import NO_RESPONDERS, Message, status
from jetstow._core.protocol.metadata import json_encode
from jetstow._core.protocol.pub_ack import decode_ack
from jetstow._core.transport.jetstream_api import JetStreamAPI
from jetstow._core.transport.pending_reply import PendingReply
from jetstow.errors import JetstowError, PermissionDeniedError

# How long after its message a request is sent, in seconds. The server starts to store the message
# within this time, if it is not busy.
_STORE_TIME: Final = 60e-6

# Over a longer round trip, in seconds, a request waits for `_LONG_STORE_TIME`: the next one would
# take more than that. Event loops round timers up to 1 ms.
_SHORT_ROUND_TRIP: Final = 0.002
_LONG_STORE_TIME: Final = 0.001

# A request for several messages waits longer: as long as a round trip divided by this, at most.
_WAITS_PER_ROUND_TRIP: Final = 8

# With more requests in flight on a connection, the server is busy, and does not store at once.
_FEW_REQUESTS: Final = 3

# After a request that was answered too early, so many messages at most are only asked about later.
_MAX_PAUSE: Final = 64

# The most subjects and bytes of one request: the replies contain whole messages.
_MAX_SUBJECTS: Final = 256
_MAX_BYTES: Final = 1024 * 1024


class TimedStream(Protocol):
    """The parts of a stream that are needed here."""

    api: JetStreamAPI
    name: str

    @property
    def has_batched_get(self) -> bool: ...

    @property
    def replicas(self) -> int: ...

    def disable_direct_get(self, *, for_good: bool = ...) -> None: ...


class DatedReply(PublishReply):
    """The acknowledgement of a message, and the time at which it was stored.

    The time is None if the message was replaced since, or its time cannot be read.
    """

    time: str | None = None
    times: StoredTimes
    subject: str

    # Whether a request for the time is not answered yet, and which ones were sent.
    _is_asking = False
    _was_early = False
    _was_late = False
    asked_leader = False
    _found: StoredTime | None = None

    def request_early(self, times: StoredTimes, subject: str) -> None:
        """Ask for the time while the message is under way, if that makes sense."""
        self.times, self.subject = times, subject
        self._was_early = self._is_asking = times.request_early(self)

    def deliver_all(self, messages: Sequence[Message]) -> None:
        if self.message is not None:
            return
        self.message = message = messages[0]
        self.ack = decode_ack(message.data)
        # The time has a timeout of its own.
        self._since, self._silence = self._loop.time(), None
        self._go_on()

    def receive_time(self, found: StoredTime | None) -> None:
        """Receive the answer to a request for the time."""
        self._is_asking = False
        self._found = found or self._found
        if self.message is not None and not self.has_ended:
            self._go_on()

    def _go_on(self) -> None:
        """End if the time is known or cannot be read, or send the next request for it."""
        seq = 0 if self.ack is None else self.ack.seq
        found = self._found
        if seq <= 0 or (found is not None and found.seq >= seq):
            self.time = found.time if found is not None and found.seq == seq else None
            if self._was_early and seq > 0:
                self.times.learn(is_hit=not self._was_late)
            self._end()
        elif not self._is_asking:
            self._is_asking = True
            if not self._was_late:
                self._was_late = True
                self.times.request(self)
            elif self.asked_leader or not self.times.request_from_leader(self):
                self._end()


class StoredTimes:
    """The requests for the times of one stream's messages."""

    def __init__(self, stream: TimedStream) -> None:
        self._stream = stream
        self._early: list[DatedReply] = []
        self._due: list[DatedReply] = []
        self._pause = self._paused = 0

    @property
    def _has_direct_get(self) -> bool:
        """Whether one request returns several messages."""
        return self._stream.has_batched_get and not self._stream.api.is_imported

    def request_early(self, reply: DatedReply) -> bool:
        """Request the time of a message that was just sent. Return False if it makes no sense.

        With several replicas, storing takes longer than a round trip of a fast network.
        """
        inbox = self._stream.api.inbox
        if self._stream.replicas > 1:
            return False
        is_fast = inbox.round_trip < _SHORT_ROUND_TRIP
        if is_fast:
            if inbox.request_count > _FEW_REQUESTS:
                return False
            if self._paused:
                self._paused -= 1
                return False
        loop = asyncio.get_running_loop()
        self._early.append(reply)
        if len(self._early) == 1:
            if is_fast:
                loop.call_soon(self._send_at, loop.time() + _STORE_TIME)
            else:
                loop.call_later(_LONG_STORE_TIME, self._send_after, 1)
        return True

    def learn(self, *, is_hit: bool) -> None:
        """Pause early requests for longer each time that one was too early."""
        self._pause = 0 if is_hit else min(2 * self._pause + 1, _MAX_PAUSE)
        self._paused = self._pause

    def request(self, reply: DatedReply) -> None:
        """Request the time of a message together with those of this iteration of the loop."""
        if not self._due:
            asyncio.get_running_loop().call_soon(self._send_due)
        self._due.append(reply)

    def request_from_leader(self, reply: DatedReply) -> bool:
        """Request the time of a message from the leader. Return False if that is not possible."""
        reply.asked_leader = True
        body = {"last_by_subj": reply.subject}
        return self._send_request(_LeaderReply, body, {reply.subject: [reply]})

    # -- inside ------------------------------------------------------------------------------

    def _send_at(self, when: float) -> None:
        """Send the early requests at a time: sooner than a timer of the event loop could."""
        loop = asyncio.get_running_loop()
        if loop.time() < when:
            loop.call_soon(self._send_at, when)
        else:
            self._send_early()

    def _send_after(self, count: int) -> None:
        """Send the early requests if there are only `count`; else give the server more time."""
        if len(self._early) == count:
            self._send_early()
            return
        count = len(self._early)
        wait = min(count * _STORE_TIME, self._stream.api.inbox.round_trip / _WAITS_PER_ROUND_TRIP)
        asyncio.get_running_loop().call_later(wait, self._send_after, count)

    def _send_early(self) -> None:
        early, self._early = self._early, []
        if self._has_direct_get:
            self._send(early)
        else:
            self._send_to_leader(early)

    def _send_due(self) -> None:
        due, self._due = self._due, []
        stream = self._stream
        # A replica may lag.
        is_safe = stream.replicas == 1 or stream.api.inbox.request_count >= _FEW_REQUESTS
        if not is_safe or not self._has_direct_get:
            self._send_to_leader(due)
            return
        for start in range(0, len(due), _MAX_SUBJECTS):
            self._send(due[start : start + _MAX_SUBJECTS])

    def _send_to_leader(self, replies: list[DatedReply]) -> None:
        for reply in replies:
            if not self.request_from_leader(reply):
                reply.receive_time(None)

    def _send(self, replies: list[DatedReply]) -> None:
        """Request the times of some messages by one Direct Get."""
        waiting: dict[str, list[DatedReply]] = {}
        for reply in replies:
            waiting.setdefault(reply.subject, []).append(reply)
        subjects = list(waiting)
        body = (
            {"last_by_subj": subjects[0]}
            if len(subjects) == 1
            else {"multi_last": subjects, "max_bytes": _MAX_BYTES}
        )
        if not self._send_request(_TimesReply, body, waiting):
            for reply in replies:
                reply.receive_time(None)

    def _send_request(
        self, kind: type[_TimesReply], body: object, waiting: dict[str, list[DatedReply]]
    ) -> bool:
        api, inbox = self._stream.api, self._stream.api.inbox
        if not inbox.is_ready:
            return False
        target = f"{api.prefix}.{kind.api}.{self._stream.name}"
        context, payload = ErrorContext(), json_encode(body)
        try:
            reply = inbox.send(kind, context, target, payload, None, api.timeout)
        except JetstowError:
            return False
        reply.stream, reply.waiting = self._stream, waiting
        inbox.flush()
        inbox.timeouts.check_at(reply.first_check)
        return True


class _TimesReply(PendingReply):
    """The last messages of some subjects, by Direct Get."""

    api = "DIRECT.GET"
    stream: TimedStream
    waiting: dict[str, list[DatedReply]]

    def deliver_all(self, messages: Sequence[Message]) -> None:
        for subject, found in parse_stored_times(messages):
            for reply in self.waiting.pop(subject, ()):
                reply.receive_time(found)
        last = messages[-1]
        if not last.data and (code := status(last)) is not None:
            if code == NO_RESPONDERS:
                self.stream.disable_direct_get(for_good=False)
            self._end()
        elif not self.waiting:
            self._end()

    def _time_out(self) -> None:
        self._end()

    def _end(self) -> None:
        super()._end()
        if isinstance(self.error, PermissionDeniedError):
            self.stream.disable_direct_get()
        waiting, self.waiting = self.waiting, {}
        for replies in waiting.values():
            for reply in replies:
                reply.receive_time(None)


class _LeaderReply(_TimesReply):
    """The last message of a subject, from the leader."""

    api = "STREAM.MSG.GET"

    def deliver_all(self, messages: Sequence[Message]) -> None:
        found = None
        with contextlib.suppress(JetstowError):
            found = decode_stored_message(self.context, messages[0])
        if found is not None:
            for reply in self.waiting.pop(found.subject, ()):
                reply.receive_time(StoredTime(found.seq, found.time))
        self._end()
