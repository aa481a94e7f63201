"""The acknowledgement of a message that a stream stores, as it arrives."""

from __future__ import annotations

from jetstow._core.protocol.message import Message
from jetstow._core.protocol.pub_ack import PubAck, decode_ack
from jetstow._core.transport.pending_reply import PendingReply


class PublishReply(PendingReply):
    """The reply to one message. `wait_stored` checks it."""

    ack: PubAck | None = None

    @property
    def may_be_stored(self) -> bool:
        """Whether the message is in the stream or on its way there."""
        return self.ack is None or self.ack.seq > 0

    def deliver(self, message: Message) -> None:
        self.message, self.ack = message, decode_ack(message.data)
        self._end()
