"""What differs between the configurations of a bucket that exists and of one that is wanted."""

from __future__ import annotations

import reprlib
from typing import Any, Final

from jetstow._core.bucket.config import without_versioning
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.versions import versioning_of
from jetstow.errors import BucketExistsError

_SECOND: Final = 10**9

# The options of a stream that have another name in `BucketConfig`.
_CONVERTED: Final = frozenset({"max_age", "num_replicas"})

# In the order of `BucketConfig`.
_CONFIG_NAMES: Final = (
    "description", "ttl", "max_bytes", "storage", "replicas", "placement", "compression",
    "metadata", "versioned",
)  # fmt: skip

# What the server, or `create`, takes for an option that a request leaves out.
_DEFAULTS: Final[dict[str, Any]] = {"max_bytes": -1, "compression": "none"}


def with_differences(
    error: BucketExistsError,
    context: ErrorContext,
    existing: dict[str, Any],
    wanted: dict[str, Any],
) -> BucketExistsError:
    """Return the error for a bucket that exists with another configuration, with what differs."""
    differences = ", ".join(_differences(existing, wanted)) or "other options of its stream"
    result = context.error(
        BucketExistsError,
        f"{context} exists already with another configuration ({differences}): open it with "
        "object_store(), or change it with create_or_update_object_store()",
    )
    result.code, result.err_code = error.code, error.err_code
    return result


def _differences(existing: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    options, wanted_options = _options(existing), _options(wanted)
    names = [*_CONFIG_NAMES, *(name for name in wanted if name not in _CONVERTED)]
    return [
        f"{name} is {reprlib.repr(value)}, not {reprlib.repr(wanted_value)}"
        for name in dict.fromkeys(names)
        if (value := options.get(name)) != (wanted_value := wanted_options.get(name))
    ]


def _options(config: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a stream, and those that `BucketConfig` has in its terms."""
    metadata = without_versioning(config.get("metadata") or {})
    state = versioning_of(config)
    is_suspended = state is not None and not state.is_enabled
    options = _DEFAULTS | {name: value for name, value in config.items() if value not in ("", None)}
    ttl = config.get("max_age", 0) / _SECOND
    return options | {
        "ttl": int(ttl) if ttl.is_integer() else ttl,
        "replicas": config.get("num_replicas", 1),
        "metadata": {key: metadata[key] for key in metadata if not key.startswith("_nats.")},
        "versioned": "suspended" if is_suspended else state is not None,
    }
