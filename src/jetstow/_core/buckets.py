"""Buckets as streams: the configuration that makes one, and finding those that are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import fields, replace
from typing import Any, Final

from nats.js import api

from jetstow._core import names, remains
from jetstow._core.fields import is_text
from jetstow._core.jetstream import JetStream, invalid_config
from jetstow._core.stream import Stream
from jetstow._core.target import Target
from jetstow.errors import BucketExistsError, BucketNotFoundError, InvalidOptionError, ServerError
from jetstow.models import BucketConfig, BucketStatus, StoreCompression

_SECOND: Final = 10**9

# The first server that knows `allow_msg_ttl`.
_HAS_TTL: Final = (2, 11)

# The server could not make the folder: it was about to remove the one above, which had become
# empty when the account's last bucket was deleted. A moment later it can.
_NO_STORE: Final = 10049
_MOMENT: Final = 0.1

# What makes a stream a bucket (ADR-20), whatever its user wishes.
_FIXED: Final = {
    "retention": "limits",
    "discard": "new",
    "allow_rollup_hdrs": True,
    "allow_direct": True,
}


def checked_config(
    bucket: str | None, config: api.ObjectStoreConfig | None, params: dict[str, object]
) -> BucketConfig:
    """A bucket's configuration from what a caller gave, nats-py's type or ours.

    Raises `InvalidBucketNameError` or `InvalidOptionError`.
    """
    known = {field.name for field in fields(BucketConfig)}
    if unknown := params.keys() - known:
        raise InvalidOptionError(
            f"a bucket has no option {min(unknown)!r}; it has {', '.join(sorted(known))}",
            bucket=bucket,
        )
    if not isinstance(config, api.ObjectStoreConfig | None):
        raise InvalidOptionError(
            f"config of a bucket must be a BucketConfig, not {type(config).__name__}", bucket=bucket
        )
    given = config if config is not None else BucketConfig()
    merged = BucketConfig(**{field.name: getattr(given, field.name) for field in fields(given)})
    merged = replace(merged, **params)  # type: ignore[arg-type]
    name = names.check_bucket(bucket if bucket is not None else merged.bucket)
    return replace(merged, bucket=name)


def stream_config(config: BucketConfig) -> dict[str, Any]:
    """The part of a stream's configuration that a bucket's one decides. None is left out."""
    bucket = config.bucket
    decided: dict[str, Any] = {
        "description": config.description,
        "storage": config.storage,
        "num_replicas": config.replicas,
        "metadata": config.metadata,
    }
    _check_text(bucket, config)
    if config.placement is not None:
        decided["placement"] = config.placement.as_dict()
    if config.compression is not None:
        decided["compression"] = _compression(bucket, config.compression)
    if config.max_bytes is not None:
        decided["max_bytes"] = _whole(bucket, "max_bytes", config.max_bytes) or -1
    if config.ttl is not None:
        decided["max_age"] = int(_seconds(bucket, config.ttl) * _SECOND)
    return {key: value for key, value in decided.items() if value is not None}


def _check_text(bucket: str | None, config: BucketConfig) -> None:
    wrong = None
    if config.description is not None and not is_text(config.description):
        wrong = "description of bucket {} must be text"
    noted: object = config.metadata
    if noted is not None and not (
        isinstance(noted, dict) and all(is_text(text) for pair in noted.items() for text in pair)
    ):
        wrong = "metadata of bucket {} must map text to text"
    placement: object = config.placement
    if not isinstance(placement, api.Placement | None):
        wrong = "placement of bucket {} must be a Placement"
    if wrong is not None:
        raise InvalidOptionError(wrong.format(repr(bucket)), bucket=bucket)


def _compression(bucket: str | None, value: object) -> str:
    if value in (True, "s2", StoreCompression.S2):
        return "s2"
    if value in (False, "none", StoreCompression.NONE):
        return "none"
    raise InvalidOptionError(
        f"compression of bucket {bucket!r} must be 's2' or 'none', not {value!r}", bucket=bucket
    )


def _seconds(bucket: str | None, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**33:
        raise InvalidOptionError(
            f"ttl of bucket {bucket!r} must be seconds, 0 or more, not {value!r}", bucket=bucket
        )
    return value


def _whole(bucket: str | None, option: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < -1:
        raise InvalidOptionError(
            f"{option} of bucket {bucket!r} must be bytes, or -1 for no limit, not {value!r}",
            bucket=bucket,
        )
    return value


async def create(js: JetStream, config: BucketConfig) -> Stream:
    """Make a bucket; one that exists with the same configuration is as good.

    Raises `BucketExistsError` or `InvalidOptionError`.
    """
    bucket = config.bucket or ""
    body = {
        "name": names.stream_of(bucket),
        "subjects": [names.all_chunks(bucket), names.all_meta(bucket)],
        "storage": "file",
        "num_replicas": 1,
        **_FIXED,
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
    await remains.clear(stream, reply, time.monotonic() - begun)
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
        return await js.request(target, f"STREAM.{verb}.{names.stream_of(bucket)}", body)
    except ServerError as error:
        raise invalid_config(error, target) from None


async def find(js: JetStream, bucket: str) -> Stream:
    """The bucket's stream. Raises `BucketNotFoundError` or `InvalidBucketNameError`."""
    names.check_bucket(bucket)
    target = Target(bucket)
    try:
        reply = await js.request(target, f"STREAM.INFO.{names.stream_of(bucket)}")
    except BucketNotFoundError:
        raise target.error(BucketNotFoundError, f"there is no {target}") from None
    return Stream(js, bucket, reply["config"])


async def delete(js: JetStream, bucket: str) -> bool:
    """Drop the bucket and everything in it. Raises `BucketNotFoundError`."""
    names.check_bucket(bucket)
    target = Target(bucket)
    losses = js.replies.standing.losses
    try:
        reply = await js.request(target, f"STREAM.DELETE.{names.stream_of(bucket)}")
    except BucketNotFoundError:
        if js.replies.standing.losses > losses:
            return True  # it was asked for twice, and the first answer got lost
        raise target.error(BucketNotFoundError, f"there is no {target} to delete") from None
    return bool(reply.get("success"))


async def list_names(js: JetStream) -> AsyncGenerator[str, None]:
    """The buckets of the account."""
    async for stream in js.list_streams("NAMES", names.all_chunks("*")):
        if (bucket := names.bucket_of(stream)) is not None:
            yield bucket


async def list_states(js: JetStream) -> AsyncGenerator[BucketStatus, None]:
    """The buckets of the account and how they are."""
    async for stream in js.list_streams("LIST", names.all_chunks("*")):
        if (bucket := names.bucket_of(stream["config"]["name"])) is not None:
            yield BucketStatus(api.StreamInfo.from_response(stream), bucket)
