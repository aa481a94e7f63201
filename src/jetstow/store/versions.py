"""The verbs for versions of objects."""

from __future__ import annotations

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.telemetry import instrumented
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.protocol.subjects import check_object_name
from jetstow._core.read.filters import parse_names
from jetstow._core.read.versions import list_versions
from jetstow._core.write import version_changes
from jetstow.models import ObjectInfo, ObjectList
from jetstow.store.base import BucketBase


class Versions(BucketBase):
    """The verbs of an object store for the versions of its objects."""

    @instrumented
    async def versions(self, name: str | None = None, *, prefix: str = "") -> ObjectList:
        """Return the versions of an object, the newest first, which is the current one.

        Without a name, return those of all objects, by name, or of those whose names begin with
        `prefix`. An info has the id in `version`, and `deleted` for a delete marker. A version was
        replaced at the time when the one before it in the list was stored. In a bucket without
        versioning, each object has one version, without an id.

        The server does not search: all metadata of the bucket is read.

        Raises: `InvalidOptionError` (`prefix` has another type).
        """
        names, _ = parse_names(self._bucket, prefix, None)
        if name is not None:
            check_object_name(self.bucket, name)
        return ObjectList(await list_versions(self._bucket, name, names))

    @instrumented
    async def restore_version(self, name: str, version: str) -> ObjectInfo:
        """Make a version the current one again. No byte is copied, and it keeps its id.

        The version that is current before is kept. Source: decision 44.

        Raises: `ObjectNotFoundError` (there is no such version), `InvalidOptionError` (it is a
        delete marker: remove it with `delete`).
        """
        step = version_changes.restore_version(self._bucket, self._context_of(name, version))
        return plain_info(self._bucket, await uncancelled(step))

    @instrumented
    async def add_delete_marker(
        self, name: str, *, expected_revision: int | None = None
    ) -> ObjectInfo:
        """Add a delete marker as the newest version, also if there is no object. Return its info.

        `expected_revision` is as in `delete`.

        Raises: `InvalidOptionError` (the bucket never had versions), `RevisionMismatchError`.
        """
        context = self._context_of(name)
        step = version_changes.add_delete_marker(self._bucket, context, expected_revision)
        return plain_info(self._bucket, await uncancelled(step))
