"""Make a bucket equal to another one: copy what is missing or different.

await jetstow.mirror(source, target, delete=True)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from jetstow._core.aio.map_in_order import map_in_order
from jetstow._core.protocol.api_errors import FATAL_ERRORS
from jetstow._transfer.delete_limits import DeleteLimits, is_missing
from jetstow._transfer.plan import ObjectSpec, Step
from jetstow.errors import JetstowError, ObjectChangedError, ObjectNotFoundError
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import MirrorResult, Progress

# The attempts to copy an object that other clients change during each attempt.
MAX_ATTEMPTS: Final = 10


async def mirror(
    source: ObjectStore,
    target: ObjectStore | None,
    *,
    delete: bool = False,
    max_delete: int | None = None,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> MirrorResult:
    """Copy to a bucket all objects and links of another one, on the same or another server.

    Several objects are copied concurrently through this process. Each appears in the target
    when it is verified. An object that the target has with the same digest and size is not
    copied, so an interrupted mirror can be repeated and continues. Encrypted objects are copied
    as they are stored, without a key. Links within the source become links within the target.

    `delete` removes objects that the source does not have; by default nothing is removed.
    `dry_run` changes nothing; `target` may then be None, for a bucket that does not exist yet.

    With `delete`, an empty source is refused if the target has objects, unless `force` is set.
    `max_delete` is the highest number of names that may be deleted, with or without `force`.
    Both are checked before anything is changed, with `dry_run` too.

    If an object cannot be copied, its error is added to `failed`, and the others are copied.

    Raises: `ValueError` (`target` is None without `dry_run`), `InvalidOptionError` (an empty
    source without `force`, or more than `max_delete` names); an error that concerns the whole
    bucket, such as `ConnectionLostError`, `BucketSealedError`, `BucketFullError` or
    `PermissionDeniedError`.
    """
    if target is None and not dry_run:
        raise ValueError("mirror needs a target bucket unless dry_run is set")
    limits = DeleteLimits(max_delete, force)
    source, target = source.as_stored(), target and target.as_stored()
    infos, unreadable = await source._list_all()  # noqa: SLF001
    infos.sort(key=lambda info: info.name)
    existing = {} if target is None else {info.name: info for info in await target.list()}
    names = {info.name for info in infos} | {error.name for error in unreadable}
    surplus = sorted(existing.keys() - names) if delete else []
    if target is not None:
        limits.check(
            len(surplus),
            "object",
            source=f"bucket {source.bucket!r}",
            target=f"bucket {target.bucket!r}",
            source_is_empty=not infos,
            bucket=target.bucket,
        )
    operation = _Mirror(source, target, existing, progress, dry_run=dry_run)
    operation.result.failed += unreadable
    await operation.copy(infos)
    await operation.remove(surplus)
    return operation.result


class _Mirror:
    def __init__(
        self,
        source: ObjectStore,
        target: ObjectStore | None,
        existing: dict[str, ObjectInfo],
        progress: Progress | None,
        *,
        dry_run: bool,
    ) -> None:
        self.result = MirrorResult()
        self._source = source
        self._target = None if dry_run else target
        self._target_bucket = source.bucket if target is None else target.bucket
        self._existing = existing
        self._progress = progress
        self._done = self._total = 0

    async def copy(self, infos: list[ObjectInfo]) -> None:
        """Copy what the target lacks or has differently."""
        todo: list[ObjectInfo] = []
        for info in infos:
            if self._plan_step(info) == "skip":
                self.result.unchanged.append(info.name)
            else:
                todo.append(info)
        self._total = sum(map(self._size_to_copy, todo))
        # Links last: a reader of the target should not find a link before its object.
        todo.sort(key=lambda info: info.link is not None)
        async with aclosing(map_in_order(todo, self._copy_one, self._size_to_copy)) as results:
            async for name, step in results:
                if step == "update_meta":
                    self.result.updated.append(name)
                elif step != "skip":
                    self.result.copied.append(name)

    async def remove(self, names: list[str]) -> None:
        """Delete names that the source does not have."""

        def no_size(_: str) -> int:
            return 0

        async with aclosing(map_in_order(names, self._remove_one, no_size)) as results:
            async for name in results:
                if name is not None:
                    self.result.removed.append(name)

    def _spec(self, info: ObjectInfo) -> ObjectSpec:
        return ObjectSpec.from_info(info).retarget_link(self._source.bucket, self._target_bucket)

    def _plan_step(self, info: ObjectInfo) -> Step:
        return self._spec(info).plan_step(self._existing.get(info.name))

    def _size_to_copy(self, info: ObjectInfo) -> int:
        return info.size or 0 if self._plan_step(info) == "copy" else 0

    async def _copy_one(self, info: ObjectInfo) -> tuple[str, Step]:
        """Copy an object, and return its name and the step that was done; record its error."""
        try:
            return info.name, await self._copy_current(info)
        except ObjectNotFoundError:
            return info.name, "skip"  # deleted after it was listed, which is not a failure
        except JetstowError as error:
            if isinstance(error, FATAL_ERRORS):
                raise
            self.result.failed.append(error)
            return info.name, "skip"

    async def _copy_current(self, info: ObjectInfo) -> Step:
        """Copy an object. If it changes during the copy, copy its current revision instead."""
        for _ in range(MAX_ATTEMPTS):
            step = self._plan_step(info)
            try:
                await self._do_step(info, step)
            except (ObjectChangedError, ObjectNotFoundError):
                # For "update_meta" the target's object is gone, so copy the bytes. If not, the
                # source's object has changed.
                removed = self._existing.pop(info.name, None) if step == "update_meta" else None
                info = await self._source.get_info(info.name) if removed is None else info
            else:
                return step
        raise self._changed_error(info.name, f"in each of {MAX_ATTEMPTS} attempts to copy it")

    async def _do_step(self, info: ObjectInfo, step: Step) -> None:
        spec, target = self._spec(info), self._target
        if target is None:
            self.result.size += spec.size if step == "copy" else 0
        elif step == "update_meta":
            await spec.update_meta(target)
        elif step == "link":
            await spec.put_link(target, self._existing.get(info.name))
        elif step == "copy":
            chunks = self._chunks(info)
            async with aclosing(chunks):
                await spec.put(target, chunks)
            self.result.size += spec.size

    async def _chunks(self, info: ObjectInfo) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of this revision.

        Raises: `ObjectChangedError` (the object is at another revision; raised before `put`
        commits the copy).
        """
        size = 0
        try:
            async with aclosing(self._source.stream(info.name)) as chunks:
                async for chunk in chunks:
                    size += len(chunk)
                    self._add_progress(len(chunk))
                    yield chunk
            if (await self._source.get_info(info.name)).revision != info.revision:
                raise self._changed_error(info.name, "while it was copied")
        except ObjectChangedError:
            self._add_progress(-size)
            raise

    def _changed_error(self, name: str, when: str) -> ObjectChangedError:
        bucket = self._source.bucket
        message = f"object {name!r} in bucket {bucket!r} changed {when}"
        return ObjectChangedError(message, bucket=bucket, name=name)

    def _add_progress(self, size: int) -> None:
        self._done += size
        if self._progress is not None:
            self._progress(self._done, max(self._total, self._done))

    async def _remove_one(self, name: str) -> str | None:
        """Delete a name in the target; return it if it was deleted."""
        try:
            if await is_missing(self._source, name):
                if self._target is not None:
                    await self._target.delete(name)
                return name
        except ObjectNotFoundError:
            pass  # another client has deleted it
        except JetstowError as error:
            # Keep the copy of an object that has become unreadable since the listing.
            if isinstance(error, FATAL_ERRORS):
                raise
            self.result.failed.append(error)
        return None


__all__ = ["mirror"]
