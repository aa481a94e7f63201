"""The verbs for versions of objects."""

from __future__ import annotations

from collections.abc import Callable

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.telemetry import instrumented
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.protocol import object_lock
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.protocol.subjects import check_object_name
from jetstow._core.read.filters import parse_names
from jetstow._core.read.name_state import NameState, require_live
from jetstow._core.read.versions import list_versions
from jetstow._core.write import version_changes
from jetstow._core.write.commit import commit
from jetstow._core.write.update_meta import change_version
from jetstow.models import ObjectInfo, ObjectList, Retention
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

        The version that is current before is kept. Source: decision 43.

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

    @instrumented
    async def set_retention(
        self,
        name: str,
        retention: Retention | None,
        *,
        version: str | None = None,
        bypass_governance: bool = False,
    ) -> ObjectInfo:
        """Keep a version until a time: jetstow and its S3 gateway do not remove it before.

        Without `version`, that of the current one is set. A retention can be made longer. None, a
        shorter one and another mode need `bypass_governance`, and mode "governance".

        Other NATS clients are not bound by it. The time is that of this machine.

        Raises: `ObjectNotFoundError`, `ObjectLockedError`, `InvalidOptionError` (the bucket has no
        versions, the time is not in the future).
        """
        context = self._context_of(name, version)

        def locked(info: ObjectInfo) -> ObjectInfo:
            return object_lock.with_retention(
                context, info, retention, bypass_governance=bypass_governance
            )

        return await self._change_lock(context, locked)

    @instrumented
    async def set_legal_hold(
        self, name: str, legal_hold: bool, *, version: str | None = None
    ) -> ObjectInfo:
        """Keep a version until its legal hold is removed again, whatever its retention.

        Raises: `ObjectNotFoundError`, `InvalidOptionError` (the bucket has no versions).
        """
        context = self._context_of(name, version)
        return await self._change_lock(
            context, lambda info: object_lock.with_legal_hold(info, legal_hold=legal_hold)
        )

    async def _change_lock(
        self, context: ErrorContext, locked: Callable[[ObjectInfo], ObjectInfo]
    ) -> ObjectInfo:
        version_changes.check_versioned(self._bucket, context)

        def propose(state: NameState) -> ObjectInfo:
            return locked(require_live(context, state))

        if context.version is None:
            step = commit(self._bucket, context, propose, dated=True)
            return plain_info(self._bucket, (await uncancelled(step)).info)
        return plain_info(
            self._bucket, await uncancelled(change_version(self._bucket, context, propose))
        )
