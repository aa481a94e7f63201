"""The verbs that delete objects."""

from __future__ import annotations

from collections.abc import Iterable

from jetstow._core.aio.cancellation import uncancelled
from jetstow._core.aio.telemetry import instrumented
from jetstow._core.bucket.encryption import plain_info
from jetstow._core.protocol.error_context import ErrorContext
from jetstow._core.write import delete, delete_many, version_changes
from jetstow._core.write.purge import live_info
from jetstow.errors import InvalidOptionError, ObjectNotFoundError
from jetstow.models import ObjectInfo
from jetstow.store.base import BucketBase
from jetstow.types import DeleteResult


class Deletes(BucketBase):
    """The verbs of an object store that delete objects."""

    @instrumented
    async def delete(  # type: ignore[override]
        self,
        name: str,
        *,
        missing_ok: bool = False,
        expected_revision: int | None = None,
        keep_replaced: bool = False,
        version: str | None = None,
        bypass_governance: bool = False,
    ) -> ObjectInfo | None:
        """Delete an object: purge its chunks, leave a delete marker (ADR-20). Return its info.

        In a versioned bucket the object is kept: the delete marker is the current version.
        `version` removes one version permanently instead, or a delete marker. If it is the current
        one, the version before it is current then. A locked version is not removed, except with
        `bypass_governance` if its retention has that mode.

        If the bucket is full, the marker may not fit: the object is then deleted without one.

        With `missing_ok`, it is not an error if there is no object: the result is None. With
        `expected_revision`, the object is deleted only if it is at that revision. `keep_replaced`
        leaves its chunks, as in `put`.

        The result is None, too, if the metadata cannot be read, or if another client has renamed
        the object: it has its new name then.

        Raises: `ObjectNotFoundError` (unless `missing_ok`), `RevisionMismatchError`,
        `ObjectLockedError`.
        """
        context = self._context_of(name, version)
        if version is not None:
            return await self._delete_version(
                context,
                expected_revision,
                missing_ok=missing_ok,
                bypass_governance=bypass_governance,
            )
        step = delete.delete_if_exists if missing_ok else delete.delete
        deleted = await uncancelled(
            step(self._bucket, context, expected_revision, keep_chunks=keep_replaced)
        )
        return None if deleted is None else live_info(self._bucket, deleted)

    async def _delete_version(
        self,
        context: ErrorContext,
        expected_revision: int | None,
        *,
        missing_ok: bool,
        bypass_governance: bool,
    ) -> ObjectInfo | None:
        step = version_changes.delete_version(
            self._bucket, context, expected_revision, bypass_governance=bypass_governance
        )
        try:
            return plain_info(self._bucket, await uncancelled(step))
        except ObjectNotFoundError:
            if missing_ok:
                return None
            raise

    @instrumented
    async def delete_many(
        self, names: Iterable[str | ObjectInfo] | None = None, *, prefix: str | None = None
    ) -> DeleteResult:
        """Delete the named objects, or those whose names begin with a prefix.

        Several are deleted at the same time. An error that concerns one object is in `failed` of
        the result, and not raised. For `ObjectInfo`s, as `list` and `find` return them, an object
        that was replaced since is not deleted, and is in `failed`. The same applies to `prefix`.

        Raises: `InvalidOptionError` (`names` is one string, neither or both of the arguments are
        given, the prefix is empty, an info is of another bucket), `InvalidObjectNameError`.
        Nothing is deleted then.
        """
        context = self._bucket.error_context()
        if (names is None) == (prefix is None) or isinstance(names, str):
            raise context.error(
                InvalidOptionError,
                f"delete_many in {context} needs a list of names, or prefix=...; not names="
                f"{names!r} and prefix={prefix!r}",
            )
        if names is not None:
            return await delete_many.delete_objects(self._bucket, names)
        if not prefix:
            raise context.error(
                InvalidOptionError,
                f"an empty prefix would delete everything in {context}: if you mean that, pass "
                "the result of list()",
            )
        return await delete_many.delete_prefix(self._bucket, prefix)
