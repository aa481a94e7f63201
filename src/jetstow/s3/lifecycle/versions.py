"""Find what has expired in a versioned bucket."""

from __future__ import annotations

import datetime
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

from jetstow import BucketIndex, IndexEntry, JetStreamContext
from jetstow.s3.buckets import Bucket
from jetstow.s3.lifecycle.clock import stored_time
from jetstow.s3.lifecycle.removal import Kind, Removal
from jetstow.s3.lifecycle.rules import Rule, add_days, find_expiry
from jetstow.s3.objects import nuid_digest, parse_modified
from jetstow.s3.reserved import DIGEST, MODIFIED, TAGS
from jetstow.s3.tags import load_tags

# What the index has of each version, in the order of `IndexEntry.metadata`.
_ENTRIES: Final = (DIGEST, MODIFIED, TAGS)

_PAGE: Final = 1_000


def open_index(bucket: Bucket) -> AbstractAsyncContextManager[BucketIndex]:
    """Open an index of a versioned bucket: for `find_versions`, and to remove delete markers.

    It has no limit of names: beyond one, each page and each removal would read all metadata.

    Raises: what `index` raises.
    """
    return bucket.store.index(metadata=_ENTRIES, max_names=sys.maxsize)


async def find_versions(
    js: JetStreamContext,
    bucket: Bucket,
    index: BucketIndex,
    rules: Sequence[Rule],
    now: datetime.datetime,
) -> AsyncIterator[Removal]:
    """Yield what has expired: current objects, other versions, delete markers without versions."""
    has_noncurrent = any(rule.noncurrent_days is not None for rule in rules)
    async for versions in _read_versions(index):
        if (removal := _expired_current(versions, rules, now)) is not None:
            yield removal
        if has_noncurrent:
            replaced = await _replaced_times(js, bucket, versions)
            for removal in _expired_noncurrent(versions, replaced, rules, now):
                yield removal


async def _read_versions(index: BucketIndex) -> AsyncIterator[Sequence[IndexEntry]]:
    """Yield the versions of each name, the current one first, then the newest.

    Those of one name are of one page: between two, another version may become the current one.
    """
    after, limit = "", _PAGE
    while True:
        page = await index.versions(after=after, limit=limit)
        names = [list(group) for _, group in itertools.groupby(page.entries, lambda e: e.name)]
        if page.next is not None:
            if len(names) == 1:
                limit *= 2
                continue
            names.pop()  # the next page may have more of its versions
        for versions in names:
            yield versions
        if page.next is None:
            return
        after, limit = names[-1][0].name, _PAGE


def _expired_current(
    versions: Sequence[IndexEntry], rules: Sequence[Rule], now: datetime.datetime
) -> Removal | None:
    """Return the removal of the current version if it has expired.

    A delete marker expires if there is no version behind it, by its age or at once.
    """
    current, tags = versions[0], _tags(versions[0])
    expiry = find_expiry(rules, current.name, _created(current), tags, current.size)
    if not current.is_marker:
        if expiry is not None and expiry.time <= now:
            return _removal("object", current, expiry.rule)
        return None
    if len(versions) > 1:
        return None
    if expiry is not None and expiry.time <= now:
        return _removal("delete marker", current, expiry.rule)
    for rule in rules:
        if rule.markers and current.name.startswith(rule.filter.prefix or ""):
            return _removal("delete marker", current, rule)
    return None


async def _replaced_times(
    js: JetStreamContext, bucket: Bucket, versions: Sequence[IndexEntry]
) -> list[datetime.datetime]:
    """Return when each of the noncurrent versions was replaced, or a later time.

    That is when the one before it was stored. A version that was restored has the time of its
    first storing: then the time at which it became current is that of its metadata message, or
    before it was replaced in turn.
    """
    times: list[datetime.datetime] = []
    for newer, entry in itertools.pairwise(versions):
        time: datetime.datetime | None = newer.modified
        if newer.time < entry.time:
            time = (
                times[-1] if times else await stored_time(js, bucket.store.bucket, newer.revision)
            )
        times.append(time or datetime.datetime.max.replace(tzinfo=datetime.UTC))
    return times


def _expired_noncurrent(
    versions: Sequence[IndexEntry],
    replaced: Sequence[datetime.datetime],
    rules: Sequence[Rule],
    now: datetime.datetime,
) -> list[Removal]:
    """Return the removals of noncurrent versions: those that are old, except for the newest."""
    removals = []
    for number, (entry, time) in enumerate(zip(versions[1:], replaced, strict=True)):
        tags = _tags(entry)
        for rule in rules:
            if (
                rule.noncurrent_days is not None
                and number >= (rule.newer_noncurrent or 0)
                and add_days(time, rule.noncurrent_days) <= now
                and rule.filter.selects(entry.name, tags, entry.size)
            ):
                removals.append(_removal("version", entry, rule))
                break
    return removals


def _created(entry: IndexEntry) -> datetime.datetime:
    """Return when the bytes of a version were stored, as `objects.modified_time` does."""
    if entry.metadata:
        digest, modified, _ = entry.metadata
        # The id of a version is the NUID of its bytes, or null.
        if modified is not None and digest in (entry.digest, nuid_digest(entry.version)):
            return parse_modified(modified) or entry.modified
    return entry.modified


def _tags(entry: IndexEntry) -> dict[str, str]:
    return load_tags((entry.metadata[-1] or "") if entry.metadata else "")


def _removal(kind: Kind, entry: IndexEntry, rule: Rule) -> Removal:
    version = None if kind == "object" else entry.version
    return Removal(kind, entry.name, rule.id, entry.revision, version)
