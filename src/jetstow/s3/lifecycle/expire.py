"""Remove what the lifecycle rules of a bucket let expire."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, nullcontext
from typing import Final

from jetstow import BucketIndex, JetStreamContext
from jetstow.errors import ObjectLockedError, ObjectNotFoundError, RevisionMismatchError
from jetstow.s3.buckets import Bucket
from jetstow.s3.errors import S3Error
from jetstow.s3.lifecycle.removal import Removal
from jetstow.s3.lifecycle.rules import Rule, add_days, find_object_expiry, load_lifecycle_rules
from jetstow.s3.lifecycle.versions import find_versions, open_index
from jetstow.s3.multipart.model import Upload
from jetstow.s3.multipart.uploads import Uploads, created_time

# How many objects are deleted at the same time.
_MAX_CONCURRENT: Final = 32


async def expire(
    js: JetStreamContext,
    bucket: Bucket,
    uploads: Uploads,
    now: datetime.datetime,
    *,
    dry_run: bool = False,
) -> AsyncIterator[Removal]:
    """Remove what has expired at a time, and yield it; with `dry_run`, only yield it.

    What another client changes at the same time stays.

    Raises: what `list` and `delete` raise.
    """
    rules = tuple(rule for rule in load_lifecycle_rules(bucket) if rule.is_enabled)
    has_versions = bucket.status.versioning is not None
    is_for_objects = any(rule.is_for_objects for rule in rules)
    # To remove a delete marker, the version behind it is looked up in an open index.
    async with (
        open_index(bucket) if has_versions and is_for_objects else nullcontext() as index,
        aclosing(_find(js, bucket, index, uploads, rules, now)) as found,
    ):
        batch: list[Removal] = []
        async for removal in found:
            if dry_run:
                yield removal
                continue
            batch.append(removal)
            if len(batch) >= _MAX_CONCURRENT:
                for removed in await _remove_all(bucket, uploads, batch):
                    yield removed
                batch = []
        for removed in await _remove_all(bucket, uploads, batch):
            yield removed


async def _find(
    js: JetStreamContext,
    bucket: Bucket,
    index: BucketIndex | None,
    uploads: Uploads,
    rules: tuple[Rule, ...],
    now: datetime.datetime,
) -> AsyncGenerator[Removal, None]:
    """Yield what has expired. `index` is that of a versioned bucket with rules for objects."""
    if any(rule.upload_days is not None for rule in rules):
        for upload, time in await uploads.records.list_with_times(bucket.store.bucket):
            rule = _rule_of_upload(rules, upload, time, now)
            if rule is not None and upload.created == created_time(bucket):
                yield Removal("upload", upload.key, rule.id, upload=upload)
    if index is not None:
        async for removal in find_versions(js, bucket, index, rules, now):
            yield removal
    elif any(rule.is_for_objects for rule in rules):
        async for info in bucket.store.list():
            expiry = find_object_expiry(rules, info)
            if expiry is not None and expiry.time <= now:
                yield Removal("object", info.name, expiry.rule.id, info.revision)


def _rule_of_upload(
    rules: tuple[Rule, ...], upload: Upload, time: datetime.datetime, now: datetime.datetime
) -> Rule | None:
    for rule in rules:
        if (
            rule.upload_days is not None
            and upload.key.startswith(rule.filter.prefix or "")
            and add_days(time, rule.upload_days) <= now
        ):
            return rule
    return None


async def _remove_all(bucket: Bucket, uploads: Uploads, batch: list[Removal]) -> list[Removal]:
    """Remove a batch. Return what was removed."""
    removed = await asyncio.gather(*(_remove(bucket, uploads, removal) for removal in batch))
    return [removal for removal, is_removed in zip(batch, removed, strict=True) if is_removed]


async def _remove(bucket: Bucket, uploads: Uploads, removal: Removal) -> bool:
    """Remove something. Return False if it was changed since it was listed, or is locked."""
    try:
        if removal.upload is not None:
            await uploads.abort(bucket, removal.key, removal.upload.id)
        else:
            await bucket.store.delete(
                removal.key, expected_revision=removal.revision, version=removal.version
            )
    except (ObjectNotFoundError, ObjectLockedError, RevisionMismatchError):
        return False
    except S3Error as error:
        if error.code != "NoSuchUpload":
            raise
        return False
    return True
