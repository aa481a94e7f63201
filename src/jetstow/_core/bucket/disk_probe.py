"""Find out why a server does not answer what is published to a bucket: its disk may be full.

After a failed write, nats-server 2.14 and later refuse all changes of the stream until a restart.
They answer purges with the reason, and published messages not at all (docs/decisions/0026).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetstow._core.protocol.api_errors import decode_response
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.message import Message
from jetstow._core.protocol.nuid import new_nuid
from jetstow._core.protocol.subjects import chunk_subject
from jetstow._core.transport.receiver import Receiver
from jetstow.errors import BucketFullError, JetstowError

if TYPE_CHECKING:
    from jetstow._core.transport.jetstream_api import JetStreamAPI


class DiskProbe:
    """A purge of no message, sent when a server has been silent for a while."""

    def __init__(self, api: JetStreamAPI, bucket: str, stream_name: str) -> None:
        self._api = api
        self._request = f"STREAM.PURGE.{stream_name}"
        self._body = {"filter": chunk_subject(bucket, new_nuid())}

    def __call__(self, receiver: Receiver) -> None:
        """End the receiver's wait if the disk is full."""
        context: ErrorContext = receiver.context

        def on_end(outcome: Message | JetstowError, _: bool) -> None:
            if isinstance(outcome, JetstowError):
                return
            try:
                decode_response(context, outcome)
            except BucketFullError as error:
                receiver.fail(error)
            except JetstowError:
                pass

        if self._api.inbox.is_ready:
            self._api.send_unawaited(context, self._request, self._body, on_end)
