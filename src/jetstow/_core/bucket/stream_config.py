"""What the configuration of a bucket's stream allows, as other clients and administrators set it.

A stream that would lose bytes is refused when it is opened. A stream that cannot be written, such
as a mirror, is read-only. Its messages may have the subjects of another bucket.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import zip_longest
from typing import Any

from jetstow._core.protocol import subjects
from jetstow._core.protocol.error_context import ErrorContext
from jetstow.errors import WrongStreamError


def check_config(context: ErrorContext, config: dict[str, Any]) -> None:
    """Check that the stream keeps all messages of an object.

    Raises: `WrongStreamError`.
    """
    if (problem := _lossy_option(config)) is not None:
        option, change = problem
        raise context.error(
            WrongStreamError,
            f"{context} would lose bytes: its stream {config['name']!r} has {option}; {change}",
        )


def _lossy_option(config: dict[str, Any]) -> tuple[str, str] | None:
    """Return an option with which the stream loses messages, and what to do."""
    retention = config.get("retention", "limits")
    if retention != "limits":
        return f"retention {retention!r}", "create it again with retention 'limits'"
    # All chunks of an object have one subject.
    if (limit := config.get("max_msgs_per_subject", -1)) > 0:
        return f"max_msgs_per_subject {limit}", "set it to -1"
    for limit in ("max_bytes", "max_msgs"):
        if config.get("discard", "old") == "old" and config.get(limit, -1) > 0:
            return f"discard 'old' and {limit} {config[limit]}", "set discard to 'new'"
    transform = config.get("subject_transform") or {}
    if transform.get("dest") and transform["dest"] != transform.get("src"):
        return (
            f"a subject_transform from {transform.get('src') or '>'!r} to {transform['dest']!r}",
            "remove it",
        )
    return None


def read_only_reason(bucket: str, subject_bucket: str, config: dict[str, Any]) -> str | None:
    """Return why objects of the bucket cannot be changed, or None.

    `subject_bucket` is the bucket in the subjects of the messages.
    """
    if config.get("sealed"):
        return "the bucket is sealed"
    if mirror := config.get("mirror"):
        return f"{ErrorContext(bucket)} is a mirror of stream {mirror.get('name')!r}"
    if not _stores_own_subjects(bucket, tuple(config.get("subjects") or ())):
        if sources := config.get("sources"):
            names = ", ".join(repr(source.get("name")) for source in sources)
            return f"{ErrorContext(bucket)} is a copy of stream {names}, its source"
        return f"its stream does not store the subjects of {ErrorContext(bucket)}"
    if not config.get("allow_rollup_hdrs"):
        return "its stream does not allow rollups (allow_rollup_hdrs)"
    if config.get("no_ack"):
        return "its stream does not acknowledge messages (no_ack)"
    if subject_bucket != bucket:
        return f"it has the objects of bucket {subject_bucket!r}"
    return None


def may_have_other_subjects(bucket: str, config: dict[str, Any]) -> bool:
    """Return whether the messages may have the subjects of another bucket."""
    own = [subjects.all_chunks_subject(bucket), subjects.all_meta_subject(bucket)]
    stored = config.get("subjects") or []
    return bool(config.get("sources")) or sorted(stored) != own


@lru_cache(maxsize=256)  # each put asks
def _stores_own_subjects(bucket: str, stored: tuple[str, ...]) -> bool:
    own = (subjects.all_chunks_subject(bucket), subjects.all_meta_subject(bucket))
    return all(any(_covers(pattern, subject) for pattern in stored) for subject in own)


def _covers(pattern: str, subject: str) -> bool:
    """Return whether a pattern matches everything that `subject`, a pattern itself, matches."""
    for wanted, allowed in zip_longest(subject.split("."), pattern.split(".")):
        if allowed == ">":
            return wanted is not None
        if wanted is None or wanted == ">" or allowed not in ("*", wanted):
            return False
    return True
