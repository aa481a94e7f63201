"""The durable consumer of a bucket's metadata: NATS keeps the position of its events.

All gateways of a NATS account receive from it as one queue group, so that each message goes to one
of them, and to another if that one does not acknowledge it (decision 0044).
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from jetstow import JetStreamContext
from jetstow._core.protocol.subjects import all_meta_subject, stream_name

CONSUMER: Final = "jetstow_s3_events"

# When a message goes to another gateway, in seconds, and how many may wait for their
# acknowledgement.
ACK_WAIT: Final = 30
_MAX_UNACKED: Final = 256


def deliver_subject(bucket: str) -> str:
    """Return the subject on which gateways receive the metadata of a bucket."""
    # Streams of users rarely capture `_INBOX.>`, and most permissions allow it.
    return f"_INBOX.{CONSUMER}.{bucket}"


async def ensure_consumer(js: JetStreamContext, bucket: str) -> ConsumerConfig:
    """Create the consumer of a bucket unless it exists. It begins with the next message.

    Raises: `nats.js.errors.Error`, `nats.errors.Error`.
    """
    config = ConsumerConfig(
        name=CONSUMER,
        durable_name=CONSUMER,
        description="The position of the events of the S3 gateway",
        deliver_policy=DeliverPolicy.NEW,
        deliver_subject=deliver_subject(bucket),
        deliver_group=CONSUMER,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_ack_pending=_MAX_UNACKED,
        filter_subject=all_meta_subject(bucket),
    )
    await js.add_consumer(stream_name(bucket), config)
    return config


async def remove_consumer(js: JetStreamContext, bucket: str) -> None:
    """Delete the consumer of a bucket, and its position.

    Raises: `nats.js.errors.Error`, `nats.errors.Error`.
    """
    with suppress(NotFoundError):
        await js.delete_consumer(stream_name(bucket), CONSUMER)
