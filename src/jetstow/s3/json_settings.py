"""Settings of a bucket that are stored as JSON: rules of CORS, events, lifecycles, websites."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from jetstow.s3.buckets import BucketState

_Value = TypeVar("_Value")
_Default = TypeVar("_Default")


def dump_setting(value: object) -> str:
    """Return a value as it is stored."""
    return msgspec.json.encode(value).decode()


def load_setting(
    bucket: BucketState, name: str, kind: type[_Value], default: _Default
) -> _Value | _Default:
    """Return the value of a setting; the default without it, or if another client wrote nonsense.

    Many requests share the value, which must be immutable.
    """
    stored = bucket.settings.get(name)
    if stored is None:
        return default
    try:
        return cast("_Value", _decode(stored, cast("Any", kind)))
    except msgspec.MsgspecError:
        return default


@lru_cache(maxsize=256)
def _decode(stored: str, kind: type[Any]) -> Any:
    return msgspec.json.decode(stored, type=kind)
