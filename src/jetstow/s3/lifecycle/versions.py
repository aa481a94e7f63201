"""Find what has expired in a versioned bucket."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import AsyncIterator, Sequence

from jetstow import JetStreamContext
from jetstow.models import ObjectInfo
from jetstow.s3 import objects
from jetstow.s3.buckets import Bucket
from jetstow.s3.lifecycle.clock import stored_time
from jetstow.s3.lifecycle.removal import Removal
from jetstow.s3.lifecycle.rules import Rule, add_days, find_expiry


async def find_versions(
    js: JetStreamContext, bucket: Bucket, rules: Sequence[Rule], now: datetime.datetime
) -> AsyncIterator[Removal]:
    """Yield what has expired: current objects, other versions, delete markers without versions."""
    listed = await bucket.store.versions()
    for _, group in itertools.groupby(listed, key=lambda info: info.name):
        versions = list(group)
        if (removal := _expired_current(versions, rules, now)) is not None:
            yield removal
        if any(rule.noncurrent_days is not None for rule in rules):
            replaced = await _replaced_times(js, bucket, versions)
            for removal in _expired_noncurrent(versions, replaced, rules, now):
                yield removal


def _expired_current(
    versions: Sequence[ObjectInfo], rules: Sequence[Rule], now: datetime.datetime
) -> Removal | None:
    """Return the removal of the current version if it has expired.

    A delete marker expires if there is no version behind it, by its age or at once.
    """
    current, expiry = versions[0], find_expiry(rules, versions[0])
    if not current.deleted:
        if expiry is not None and expiry.time <= now:
            return Removal("object", current.name, expiry.rule.id, info=current)
        return None
    if len(versions) > 1:
        return None
    if expiry is not None and expiry.time <= now:
        return Removal("delete marker", current.name, expiry.rule.id, info=current)
    for rule in rules:
        if rule.markers and current.name.startswith(rule.filter.prefix or ""):
            return Removal("delete marker", current.name, rule.id, info=current)
    return None


async def _replaced_times(
    js: JetStreamContext, bucket: Bucket, versions: Sequence[ObjectInfo]
) -> list[datetime.datetime]:
    """Return when each of the noncurrent versions was replaced, or a later time.

    That is when the one before it was stored. A version that was restored has the time of its
    first storing: then the time at which it became current is that of its metadata message, or
    before it was replaced in turn.
    """
    times: list[datetime.datetime] = []
    for newer, info in itertools.pairwise(versions):
        time = newer.modified
        if time is None or (info.modified is not None and time < info.modified):
            time = (
                times[-1] if times else await stored_time(js, bucket.store.bucket, newer.revision)
            )
        times.append(time or datetime.datetime.max.replace(tzinfo=datetime.UTC))
    return times


def _expired_noncurrent(
    versions: Sequence[ObjectInfo],
    replaced: Sequence[datetime.datetime],
    rules: Sequence[Rule],
    now: datetime.datetime,
) -> list[Removal]:
    """Return the removals of noncurrent versions: those that are old, except for the newest."""
    removals = []
    for number, (info, time) in enumerate(zip(versions[1:], replaced, strict=True)):
        tags = objects.object_tags(info)
        for rule in rules:
            if (
                rule.noncurrent_days is not None
                and number >= (rule.newer_noncurrent or 0)
                and add_days(time, rule.noncurrent_days) <= now
                and rule.filter.selects(info.name, tags, info.size or 0)
            ):
                removals.append(Removal("version", info.name, rule.id, info=info))
                break
    return removals
