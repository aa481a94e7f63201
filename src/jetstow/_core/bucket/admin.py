"""Buckets as streams: the configuration that makes one, and finding those that are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any, Final

from nats.js import api

from jetstow._core.bucket import stale_data
from jetstow._core.bucket.config import FIXED_STREAM_CONFIG, stream_config
from jetstow._core.bucket.stream import Stream
from jetstow._core.protocol import subjects
from jetstow._core.protocol.api_errors import invalid_config
from jetstow._core.protocol.context import ErrorContext
from jetstow._core.transport.api import JetStreamAPI
from jetstow.errors import BucketExistsError, BucketNotFoundError, InvalidOptionError, ServerError
from jetstow.models import BucketConfig, BucketStatus

# The first server that knows `allow_msg_ttl`.
_TTL_MIN_VERSION: Final = (2, 11)

# The server could not make the folder: it was about to remove the one above, which had become
# empty when the account's last bucket was deleted. A moment later it can.
_STORE_NOT_CREATED: Final = 10049
_CREATE_RETRY_DELAY: Final = 0.1


async def create(js: JetStreamAPI, config: BucketConfig) -> Stream:
    """Make a bucket; one that exists with the same configuration is as good.

    Raises `BucketExistsError` or `InvalidOptionError`.
    """
    bucket = config.bucket or ""
    body = {
        "name": subjects.stream_name(bucket),
        "subjects": [subjects.all_chunks_subject(bucket), subjects.all_meta_subject(bucket)],
        "storage": "file",
        "num_replicas": 1,
        **FIXED_STREAM_CONFIG,
        **stream_config(config),
    }
    return await _create(js, bucket, body)


async def _create(js: JetStreamAPI, bucket: str, body: dict[str, Any]) -> Stream:
    begun = time.monotonic()
    try:
        reply = await _request(js, "CREATE", bucket, body)
    except ServerError as error:
        if error.err_code != _STORE_NOT_CREATED:
            raise
        await asyncio.sleep(_CREATE_RETRY_DELAY)
        reply = await _request(js, "CREATE", bucket, body)
    stream = Stream(js, bucket, reply["config"])
    await stale_data.purge_stale_data(stream, reply, time.monotonic() - begun)
    return stream


async def update(js: JetStreamAPI, config: BucketConfig) -> Stream:
    """Change what the configuration names. Raises `BucketNotFoundError`, `InvalidOptionError`."""
    bucket = config.bucket or ""
    existing = await open_stream(js, bucket)
    body = existing.config | stream_config(config)
    # The server derives the one from the other, but only where it is not told.
    if 0 < body.get("max_age", 0) < body.get("duplicate_window", 0):
        body["duplicate_window"] = body["max_age"]
    return Stream(js, bucket, (await _request(js, "UPDATE", bucket, body))["config"])


async def create_or_update(js: JetStreamAPI, config: BucketConfig) -> Stream:
    """Make a bucket, or change the one that is there."""
    try:
        return await create(js, config)
    except BucketExistsError:
        return await update(js, config)


async def enable_message_ttl(stream: Stream, context: ErrorContext) -> None:
    """See to it that single objects can expire; a bucket cannot lose that any more.

    So it is asked for once somebody needs it, and not of every bucket: other clients, who do
    not know of it, can change the configuration of those that never had it (0017).

    Raises `InvalidOptionError` where the server is too old, `PermissionDeniedError` where the
    user may not change the bucket.
    """
    if stream.api.server_version < _TTL_MIN_VERSION:
        raise context.error(
            InvalidOptionError,
            f"{context} cannot have a ttl: the server is older than 2.11; the bucket can",
        )
    if not stream.config.get("allow_msg_ttl"):
        config = (await stream.info())["config"] | {"allow_msg_ttl": True}
        changed = await _request(stream.api, "UPDATE", stream.bucket, config)
        stream.config.update(changed["config"])


async def seal(stream: Stream) -> None:
    """Let nothing in the bucket change any more; it cannot be undone."""
    # What others put into the configuration since the bucket was opened stays there.
    config = (await stream.info())["config"]
    await _request(stream.api, "UPDATE", stream.bucket, config | {"sealed": True})


async def _request(
    js: JetStreamAPI, verb: str, bucket: str, body: dict[str, Any]
) -> dict[str, Any]:
    context = ErrorContext(bucket)
    try:
        return await js.request(context, f"STREAM.{verb}.{subjects.stream_name(bucket)}", body)
    except ServerError as error:
        raise invalid_config(error, context) from None


async def open_stream(js: JetStreamAPI, bucket: str) -> Stream:
    """The bucket's stream. Raises `BucketNotFoundError` or `InvalidBucketNameError`."""
    subjects.check_bucket_name(bucket)
    context = ErrorContext(bucket)
    try:
        reply = await js.request(context, f"STREAM.INFO.{subjects.stream_name(bucket)}")
    except BucketNotFoundError:
        raise context.error(BucketNotFoundError, f"there is no {context}") from None
    return Stream(js, bucket, reply["config"])


async def delete(js: JetStreamAPI, bucket: str) -> bool:
    """Drop the bucket and everything in it. Raises `BucketNotFoundError`."""
    subjects.check_bucket_name(bucket)
    context = ErrorContext(bucket)
    losses = js.inbox.state.losses
    try:
        reply = await js.request(context, f"STREAM.DELETE.{subjects.stream_name(bucket)}")
    except BucketNotFoundError:
        if js.inbox.state.losses > losses:
            return True  # it was asked for twice, and the first answer got lost
        raise context.error(BucketNotFoundError, f"there is no {context} to delete") from None
    return bool(reply.get("success"))


async def list_names(js: JetStreamAPI) -> AsyncGenerator[str, None]:
    """The buckets of the account."""
    async for stream in js.list_streams("NAMES", subjects.all_chunks_subject("*")):
        if (bucket := subjects.bucket_name(stream)) is not None:
            yield bucket


async def list_statuses(js: JetStreamAPI) -> AsyncGenerator[BucketStatus, None]:
    """The buckets of the account and how they are."""
    async for stream in js.list_streams("LIST", subjects.all_chunks_subject("*")):
        if (bucket := subjects.bucket_name(stream["config"]["name"])) is not None:
            yield BucketStatus(api.StreamInfo.from_response(stream), bucket)
