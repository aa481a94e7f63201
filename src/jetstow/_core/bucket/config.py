"""The configuration of a bucket: validation, and conversion to that of its stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from nats.js import api

from jetstow._bucket_models import VERSIONING
from jetstow._core.protocol import subjects
from jetstow._core.protocol.duration import seconds
from jetstow._core.protocol.json_fields import is_text
from jetstow._core.protocol.option_names import check_option_names
from jetstow._core.protocol.versions import Versioning, versioning_of
from jetstow.errors import InvalidOptionError
from jetstow.models import BucketConfig, StorageType, StoreCompression

_SECOND: Final = 10**9

# The stream configuration of every bucket (ADR-20).
FIXED_STREAM_CONFIG: Final = {
    "retention": "limits",
    "discard": "new",
    "allow_rollup_hdrs": True,
    "allow_direct": True,
}


def parse_config(
    bucket: str | None, config: api.ObjectStoreConfig | None, params: Mapping[str, object]
) -> BucketConfig:
    """Return a bucket's configuration from the arguments of a call.

    `config` may be nats-py's `ObjectStoreConfig`. `params` override it, and `bucket` its name.

    Raises: `InvalidBucketNameError`, `InvalidOptionError` (an option that does not exist, or a
    `config` of another type).
    """
    known = {field.name for field in fields(BucketConfig)}
    check_option_names("the configuration of a bucket", params, known, bucket=bucket)
    if not isinstance(config, api.ObjectStoreConfig | None):
        raise InvalidOptionError(
            f"config of a bucket must be a BucketConfig, not {type(config).__name__}", bucket=bucket
        )
    base = config if config is not None else BucketConfig()
    result = BucketConfig(**{field.name: getattr(base, field.name) for field in fields(base)})
    result = replace(result, **params)  # type: ignore[arg-type]
    name = subjects.check_bucket_name(bucket if bucket is not None else result.bucket)
    return replace(result, bucket=name)


def stream_config(config: BucketConfig) -> dict[str, Any]:
    """Return the options of a bucket as options of its stream, without those that are None.

    Raises: `InvalidOptionError` (an option has the wrong type or value).
    """
    bucket = config.bucket
    options: dict[str, Any] = {
        "description": config.description,
        "num_replicas": config.replicas,
    }
    _check_types(bucket, config)
    if config.metadata is not None:
        options["metadata"] = without_versioning(config.metadata)
    if config.placement is not None:
        options["placement"] = config.placement.as_dict()
    if config.storage is not None:
        options["storage"] = _check_storage(bucket, config.storage)
    if config.compression is not None:
        options["compression"] = _check_compression(bucket, config.compression)
    if config.max_bytes is not None:
        options["max_bytes"] = _check_max_bytes(bucket, config.max_bytes) or -1
    if config.ttl is not None:
        options["max_age"] = int(_check_ttl(bucket, config.ttl) * _SECOND)
    return {key: value for key, value in options.items() if value is not None}


def with_versioning(
    options: dict[str, Any], config: BucketConfig, existing: dict[str, Any], last_seq: int
) -> dict[str, Any]:
    """Return the options of a stream with the state of versioning in its metadata.

    `existing` are the options of the stream that exists, and `last_seq` is its last sequence. The
    state does not change if `config.versioned` is None. A new bucket without versions has none.

    Raises: `InvalidOptionError` (a bucket with a TTL cannot have versions: their chunks, which are
    older, would expire before them).
    """
    state = versioning_of(existing)
    if config.versioned is not None and (config.versioned or existing):
        state = Versioning(config.versioned, last_seq if state is None else state.since)
    if state is None:
        return options
    if (options.get("max_age") or 0) > 0:
        raise InvalidOptionError(
            f"bucket {config.bucket!r} cannot have both versions and a ttl: versions would expire "
            "one chunk after the other; remove old versions instead",
            bucket=config.bucket,
        )
    return options | {"metadata": (options.get("metadata") or {}) | {VERSIONING: str(state)}}


def without_versioning(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata of a bucket without the state of versioning."""
    return {key: value for key, value in metadata.items() if key != VERSIONING}


def _check_types(bucket: str | None, config: BucketConfig) -> None:
    error = None
    if config.description is not None and not is_text(config.description):
        error = "description of bucket {} must be a string"
    metadata: object = config.metadata
    if metadata is not None and not (
        isinstance(metadata, dict)
        and all(is_text(text) for pair in metadata.items() for text in pair)
    ):
        error = "metadata of bucket {} must map strings to strings"
    versioned: object = config.versioned
    if not isinstance(versioned, bool | None):
        error = "versioned of bucket {} must be true or false"
    placement: object = config.placement
    if not isinstance(placement, api.Placement | None):
        error = "placement of bucket {} must be a Placement"
    if error is not None:
        raise InvalidOptionError(error.format(repr(bucket)), bucket=bucket)


def _check_storage(bucket: str | None, value: object) -> str:
    if value in ("file", "memory"):
        return StorageType(value).value
    raise InvalidOptionError(
        f"storage of bucket {bucket!r} must be 'file' or 'memory', not {value!r}", bucket=bucket
    )


def _check_compression(bucket: str | None, value: object) -> str:
    if value in (True, "s2", StoreCompression.S2):
        return "s2"
    if value in (False, "none", StoreCompression.NONE):
        return "none"
    raise InvalidOptionError(
        f"compression of bucket {bucket!r} must be 's2' or 'none', not {value!r}", bucket=bucket
    )


def _check_ttl(bucket: str | None, ttl: object) -> float:
    value = seconds(ttl)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 2**33:
        raise InvalidOptionError(
            f"ttl of bucket {bucket!r} must be seconds or a timedelta, 0 or more, not {ttl!r}",
            bucket=bucket,
        )
    return value


def _check_max_bytes(bucket: str | None, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < -1:
        raise InvalidOptionError(
            f"max_bytes of bucket {bucket!r} must be bytes, or -1 for no limit, not {value!r}",
            bucket=bucket,
        )
    return value
