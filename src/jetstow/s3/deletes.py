"""Delete one object, or one version of it: the only code that does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from jetstow.errors import ObjectNotFoundError, RevisionMismatchError
from jetstow.models import ObjectInfo
from jetstow.s3.buckets import Bucket, Buckets
from jetstow.s3.conditions import NO_CONDITIONS, WriteConditions, find_info
from jetstow.s3.versions import MARKER_HEADER, VERSION_HEADER, check_version


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a delete did: the version that it removed or the delete marker that it added."""

    version: str | None = None
    is_marker: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response."""
        headers = {} if self.version is None else {VERSION_HEADER: self.version}
        return headers | ({MARKER_HEADER: "true"} if self.is_marker else {})


async def delete_one(
    buckets: Buckets,
    bucket: Bucket,
    key: str,
    version: str | None = None,
    conditions: WriteConditions = NO_CONDITIONS,
    *,
    bypass_governance: bool = False,
) -> Deleted:
    """Delete an object if its conditions hold. It is not an error if there is none.

    In a bucket with versions, that adds a delete marker. With a version, remove that one.

    Raises: `S3Error` (PreconditionFailed, and what `check_version` raises), and what `delete`
    raises.
    """
    if (version := check_version(bucket, version)) is not None:
        return await _delete_version(
            buckets, bucket, key, version, conditions, bypass_governance=bypass_governance
        )
    while True:
        revision = None
        if conditions:
            info = await find_info(bucket.store, key)
            if info is None:
                return Deleted()
            conditions.check(info)
            revision = info.revision
        try:
            if bucket.status.versioning is not None:
                marker = await bucket.store.add_delete_marker(key, expected_revision=revision)
                return Deleted(marker.version, is_marker=True)
            await bucket.store.delete(key, missing_ok=True, expected_revision=revision)
        except RevisionMismatchError:
            continue  # it was changed: check the new one
        return Deleted()


async def _delete_version(
    buckets: Buckets,
    bucket: Bucket,
    key: str,
    version: str,
    conditions: WriteConditions,
    *,
    bypass_governance: bool,
) -> Deleted:
    store = bucket.store
    while True:
        revision = None
        if conditions:
            try:
                info = await store.get_info(key, show_deleted=True, version=version)
            except ObjectNotFoundError:
                return Deleted(version)
            conditions.check(info)
            revision = info.revision
        try:
            async with _with_index(buckets, bucket, key, version):
                removed: ObjectInfo | None = await store.delete(
                    key,
                    version=version,
                    missing_ok=True,
                    expected_revision=revision,
                    bypass_governance=bypass_governance,
                )
        except RevisionMismatchError:
            continue  # its tags were changed
        return Deleted(version, is_marker=removed is not None and bool(removed.deleted))


@asynccontextmanager
async def _with_index(
    buckets: Buckets, bucket: Bucket, key: str, version: str
) -> AsyncIterator[None]:
    """Keep the index of the bucket open if the version is current: it has the one that follows."""
    try:
        current = await bucket.store.get_info(key, show_deleted=True)
    except ObjectNotFoundError:
        current = None
    if current is None or current.version != version:
        yield
        return
    async with buckets.indexes.use(bucket.store):
        yield
