"""Buckets as streams: the configuration that makes one, and finding those that are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any, Final

from nats.js import api

from jetstow._core.bucket import stale_data
from jetstow._core.bucket.config import FIXED, stream_config
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.api_errors import invalid_config
from jetstow._core.protocol.context import Target
from jetstow._core.transport.api import JetStream
from jetstow.errors import BucketExistsError, BucketNotFoundError, InvalidOptionError, ServerError
from jetstow.models import BucketConfig, BucketStatus

# The first server that knows `allow_msg_ttl`.
_HAS_TTL: Final = (2, 11)

# The server could not make the folder: it was about to remove the one above, which had become
# empty when the account's last bucket was deleted. A moment later it can.
_NO_STORE: Final = 10049
_MOMENT: Final = 0.1


async def create(js: JetStream, config: BucketConfig) -> Stream:
    """Make a bucket; one that exists with the same configuration is as good.

    Raises `BucketExistsError` or `InvalidOptionError`.
    """
    bucket = config.bucket or ""
    body = {
        "name": subjects.stream_of(bucket),
        "subjects": [subjects.all_chunks(bucket), subjects.all_meta(bucket)],
        "storage": "file",
        "num_replicas": 1,
        **FIXED,
        **stream_config(config),
    }
    return await _make(js, bucket, body)


async def _make(js: JetStream, bucket: str, body: dict[str, Any]) -> Stream:
    begun = time.monotonic()
    try:
        reply = await _ask(js, "CREATE", bucket, body)
    except ServerError as error:
        if error.err_code != _NO_STORE:
            raise
        await asyncio.sleep(_MOMENT)
        reply = await _ask(js, "CREATE", bucket, body)
    stream = Stream(js, bucket, reply["config"])
    await stale_data.clear(stream, reply, time.monotonic() - begun)
    return stream


async def update(js: JetStream, config: BucketConfig) -> Stream:
    """Change what the configuration names. Raises `BucketNotFoundError`, `InvalidOptionError`."""
    bucket = config.bucket or ""
    existing = await find(js, bucket)
    body = existing.config | stream_config(config)
    # The server derives the one from the other, but only where it is not told.
    if 0 < body.get("max_age", 0) < body.get("duplicate_window", 0):
        body["duplicate_window"] = body["max_age"]
    return Stream(js, bucket, (await _ask(js, "UPDATE", bucket, body))["config"])


async def create_or_update(js: JetStream, config: BucketConfig) -> Stream:
    """Make a bucket, or change the one that is there."""
    try:
        return await create(js, config)
    except BucketExistsError:
        return await update(js, config)


async def let_expire(stream: Stream, target: Target) -> None:
    """See to it that single objects can expire; a bucket cannot lose that any more.

    So it is asked for once somebody needs it, and not of every bucket: other clients, who do
    not know of it, can change the configuration of those that never had it (0017).

    Raises `InvalidOptionError` where the server is too old, `PermissionDeniedError` where the
    user may not change the bucket.
    """
    if stream.js.server_version < _HAS_TTL:
        raise target.error(
            InvalidOptionError,
            f"{target} cannot have a ttl: the server is older than 2.11; the bucket can",
        )
    if not stream.config.get("allow_msg_ttl"):
        config = (await stream.info())["config"] | {"allow_msg_ttl": True}
        changed = await _ask(stream.js, "UPDATE", stream.bucket, config)
        stream.config.update(changed["config"])


async def seal(stream: Stream) -> None:
    """Let nothing in the bucket change any more; it cannot be undone."""
    # What others put into the configuration since the bucket was opened stays there.
    config = (await stream.info())["config"]
    await _ask(stream.js, "UPDATE", stream.bucket, config | {"sealed": True})


async def _ask(js: JetStream, verb: str, bucket: str, body: dict[str, Any]) -> dict[str, Any]:
    target = Target(bucket)
    try:
        return await js.request(target, f"STREAM.{verb}.{subjects.stream_of(bucket)}", body)
    except ServerError as error:
        raise invalid_config(error, target) from None


async def find(js: JetStream, bucket: str) -> Stream:
    """The bucket's stream. Raises `BucketNotFoundError` or `InvalidBucketNameError`."""
    subjects.check_bucket(bucket)
    target = Target(bucket)
    try:
        reply = await js.request(target, f"STREAM.INFO.{subjects.stream_of(bucket)}")
    except BucketNotFoundError:
        raise target.error(BucketNotFoundError, f"there is no {target}") from None
    return Stream(js, bucket, reply["config"])


async def delete(js: JetStream, bucket: str) -> bool:
    """Drop the bucket and everything in it. Raises `BucketNotFoundError`."""
    subjects.check_bucket(bucket)
    target = Target(bucket)
    losses = js.replies.standing.losses
    try:
        reply = await js.request(target, f"STREAM.DELETE.{subjects.stream_of(bucket)}")
    except BucketNotFoundError:
        if js.replies.standing.losses > losses:
            return True  # it was asked for twice, and the first answer got lost
        raise target.error(BucketNotFoundError, f"there is no {target} to delete") from None
    return bool(reply.get("success"))


async def list_names(js: JetStream) -> AsyncGenerator[str, None]:
    """The buckets of the account."""
    async for stream in js.list_streams("NAMES", subjects.all_chunks("*")):
        if (bucket := subjects.bucket_of(stream)) is not None:
            yield bucket


async def list_states(js: JetStream) -> AsyncGenerator[BucketStatus, None]:
    """The buckets of the account and how they are."""
    async for stream in js.list_streams("LIST", subjects.all_chunks("*")):
        if (bucket := subjects.bucket_of(stream["config"]["name"])) is not None:
            yield BucketStatus(api.StreamInfo.from_response(stream), bucket)
