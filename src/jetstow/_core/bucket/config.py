"""The configuration of a bucket, as a caller gives it and as its stream has it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

from nats.js import api

from jetstow._core.protocol import subjects
from jetstow._core.protocol.json_fields import is_text
from jetstow.errors import InvalidOptionError
from jetstow.models import BucketConfig, StoreCompression

_SECOND: Final = 10**9

# What makes a stream a bucket (ADR-20), whatever its user wishes.
FIXED_STREAM_CONFIG: Final = {
    "retention": "limits",
    "discard": "new",
    "allow_rollup_hdrs": True,
    "allow_direct": True,
}


def parse_config(
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
    name = subjects.check_bucket_name(bucket if bucket is not None else merged.bucket)
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
        decided["max_bytes"] = _byte_limit(bucket, "max_bytes", config.max_bytes) or -1
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


def _byte_limit(bucket: str | None, option: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < -1:
        raise InvalidOptionError(
            f"{option} of bucket {bucket!r} must be bytes, or -1 for no limit, not {value!r}",
            bucket=bucket,
        )
    return value
