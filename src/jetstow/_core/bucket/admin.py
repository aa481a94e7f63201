"""Administration of buckets: create, update, delete, seal, open and list their streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any, Final

from nats.js import api

from jetstow._core.bucket import stale_data
from jetstow._core.bucket.config import FIXED_STREAM_CONFIG, stream_config, with_versioning
from jetstow._core.bucket.config_differences import with_differences
from jetstow._core.bucket.stream import OFFSET_PAST_END, Stream
from jetstow._core.bucket.stream_config import check_config, may_have_other_subjects
from jetstow._core.protocol import subjects
from jetstow._core.protocol.api_errors import decode_response, invalid_config
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.transport.jetstream_api import JetStreamAPI
from jetstow.errors import (
    BucketExistsError,
    BucketNotFoundError,
    InvalidOptionError,
    ServerError,
    WrongStreamError,
)
from jetstow.models import BucketConfig, BucketStatus

# The first server version that supports `allow_msg_ttl`.
_TTL_MIN_VERSION: Final = (2, 11)

# The first server version that stores metadata of a stream.
_METADATA_MIN_VERSION: Final = (2, 10)

# The server could not create the stream's directory. It was removing the parent directory, which
# became empty when the account's last stream was deleted. A moment later it succeeds.
_STORE_NOT_CREATED: Final = 10049
_CREATE_RETRY_DELAY: Final = 0.1


async def create(js: JetStreamAPI, config: BucketConfig) -> Stream:
    """Create a bucket, or open one that exists with the same configuration.

    Raises: `BucketExistsError` (another configuration), `InvalidOptionError`.
    """
    bucket = config.bucket or ""
    _check_versioned(js, config)
    options: dict[str, Any] = {
        "name": subjects.stream_name(bucket),
        "subjects": [subjects.all_chunks_subject(bucket), subjects.all_meta_subject(bucket)],
        "storage": "file",
        "num_replicas": 1,
        **FIXED_STREAM_CONFIG,
        **stream_config(config),
    }
    body = with_versioning(options, config, {}, 0)
    started = time.monotonic()
    try:
        response = await _request(js, "CREATE", bucket, body)
    except BucketExistsError:
        # `enable_message_ttl` and when versions were enabled may be the only differences.
        existing = (await _open(js, bucket)).config
        if existing.get("allow_msg_ttl"):
            body["allow_msg_ttl"] = True
        if config.versioned:
            body = with_versioning(body, config, existing, 0)
        try:
            response = await _request(js, "CREATE", bucket, body)
        except BucketExistsError as error:
            raise with_differences(error, ErrorContext(bucket), existing, body) from None
    except ServerError as error:
        if error.err_code != _STORE_NOT_CREATED:
            raise
        await asyncio.sleep(_CREATE_RETRY_DELAY)
        response = await _request(js, "CREATE", bucket, body)
    stream = Stream(js, bucket, response["config"], response["created"])
    await stale_data.purge_stale_data(stream, response, time.monotonic() - started)
    return stream


async def update(js: JetStreamAPI, config: BucketConfig) -> Stream:
    """Change the options of a bucket that are not None.

    Raises: `BucketNotFoundError`, `InvalidOptionError`, `WrongStreamError` (see `open_stream`).
    """
    bucket = config.bucket or ""
    _check_versioned(js, config)
    existing = await _open(js, bucket)
    # Objects that are stored before the update are older than versioning, or count as newer.
    last_seq = 0
    if config.versioned is not None:
        last_seq = int((await existing.info())["state"]["last_seq"])
    changed = existing.config | stream_config(config)
    body = with_versioning(changed, config, existing.config, last_seq)
    # The server rejects a window that is longer than `max_age`, and adjusts only its own default.
    if 0 < body.get("max_age", 0) < body.get("duplicate_window", 0):
        body["duplicate_window"] = body["max_age"]
    await _request(js, "UPDATE", bucket, body)
    return await open_stream(js, bucket)


async def create_or_update(js: JetStreamAPI, config: BucketConfig) -> Stream:
    """Create a bucket, or update the existing one.

    Raises: `InvalidOptionError`, `WrongStreamError`.
    """
    try:
        return await create(js, config)
    except BucketExistsError:
        return await update(js, config)


def _check_versioned(js: JetStreamAPI, config: BucketConfig) -> None:
    if config.versioned and js.server_version < _METADATA_MIN_VERSION:
        raise InvalidOptionError(
            f"bucket {config.bucket!r} cannot have versions: the server is older than 2.10",
            bucket=config.bucket,
        )


async def enable_message_ttl(stream: Stream, context: ErrorContext) -> None:
    """Enable message TTL on a bucket, which cannot be disabled again.

    It is enabled on first use only: clients that do not support it cannot update the configuration
    of a bucket that has it (docs/decisions/0017).

    Raises: `InvalidOptionError` (the server is older than 2.11), `PermissionDeniedError` (the user
    may not update the bucket).
    """
    if stream.api.server_version < _TTL_MIN_VERSION:
        raise context.error(
            InvalidOptionError,
            f"{context} cannot have a ttl: the server is older than 2.11; set the bucket's ttl",
        )
    if not stream.config.get("allow_msg_ttl"):
        config = (await stream.info())["config"] | {"allow_msg_ttl": True}
        response = await _request(stream.api, "UPDATE", stream.bucket, config)
        stream.config.update(response["config"])


async def seal(stream: Stream) -> None:
    """Make a bucket read-only. This cannot be undone."""
    await stream.purges.wait()  # a sealed bucket would refuse them
    # Keep changes of other clients since the bucket was opened.
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
    """Return the stream of an existing bucket.

    Raises: `BucketNotFoundError`, `InvalidBucketNameError`, `WrongStreamError` (the configuration
    of the stream would lose bytes, or it has objects of several buckets).
    """
    stream = await _open(js, bucket)
    check_config(stream.error_context(), stream.config)
    if may_have_other_subjects(bucket, stream.config):
        stream.subject_bucket = await _find_subject_bucket(stream)
    return stream


async def _open(js: JetStreamAPI, bucket: str) -> Stream:
    subjects.check_bucket_name(bucket)
    context = ErrorContext(bucket)
    try:
        response = await js.request(context, f"STREAM.INFO.{subjects.stream_name(bucket)}")
    except BucketNotFoundError:
        raise context.error(BucketNotFoundError, f"there is no {context}") from None
    stream = Stream(js, bucket, response["config"], response["created"])
    stream.set_domain(response)
    return stream


async def _find_subject_bucket(stream: Stream) -> str:
    """Return the bucket in the subjects of the messages, which a mirror has from its origin.

    Raises: `WrongStreamError` (there are several).
    """
    context, pattern = stream.error_context(), subjects.all_meta_subject("*")
    first = await stream.next_message(context, pattern, 1)
    if first is None:
        mirror = stream.config.get("mirror") or {}
        origin = subjects.bucket_name(mirror.get("name", ""))
        has_transforms = bool(mirror.get("subject_transforms"))
        return stream.bucket if origin is None or has_transforms else origin
    found = subjects.bucket_of_subject(first.subject)
    totals = [
        (await stream.info(subjects_filter=subject, offset=OFFSET_PAST_END)).get("total", 0)
        for subject in (pattern, subjects.all_meta_subject(found))
    ]
    if totals[0] > totals[1]:
        raise context.error(
            WrongStreamError,
            f"the stream {stream.name!r} of {context} has the objects of bucket {found!r} and of "
            "other buckets: let each of its sources have a subject transform to "
            f"{subjects.all_subject(stream.bucket)!r}",
        )
    return found


async def delete(js: JetStreamAPI, bucket: str) -> bool:
    """Delete a bucket and everything in it.

    Raises: `BucketNotFoundError`, `InvalidBucketNameError`.
    """
    subjects.check_bucket_name(bucket)
    context = ErrorContext(bucket)
    subject = f"{js.prefix}.STREAM.DELETE.{subjects.stream_name(bucket)}"
    requests = 0

    async def delete() -> bool:
        nonlocal requests
        requests += 1
        response = decode_response(context, await js.send_request(context, subject))
        return bool(response.get("success"))

    try:
        return await js.retry(context, delete)
    except BucketNotFoundError:
        if requests > 1:
            return True  # the first request has deleted the bucket, and its reply was lost
        raise context.error(BucketNotFoundError, f"there is no {context} to delete") from None


async def list_names(js: JetStreamAPI) -> AsyncGenerator[str, None]:
    """Yield the names of the account's buckets."""
    async for stream in js.list_streams("NAMES", subjects.all_chunks_subject("*")):
        if (bucket := subjects.bucket_name(stream)) is not None:
            yield bucket


async def list_statuses(js: JetStreamAPI) -> AsyncGenerator[BucketStatus, None]:
    """Yield the status of each of the account's buckets."""
    async for stream in js.list_streams("LIST", subjects.all_chunks_subject("*")):
        if (bucket := subjects.bucket_name(stream["config"]["name"])) is not None:
            yield BucketStatus(api.StreamInfo.from_response(stream), bucket)
