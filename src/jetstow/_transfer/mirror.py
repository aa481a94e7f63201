"""One bucket as another: what is missing is copied, what is otherwise is changed, once.

await jetstow.mirror(store, other_store, delete=True)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from jetstow._transfer.plan import FATAL, Step, Wanted, in_order
from jetstow.errors import JetstowError, ObjectChangedError, ObjectNotFoundError
from jetstow.models import ObjectInfo
from jetstow.store import ObjectStore
from jetstow.types import MirrorResult, Progress

# How often an object that changes while it is copied is copied anew.
_TRIES: Final = 10


async def mirror(
    source: ObjectStore,
    target: ObjectStore | None,
    *,
    delete: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> MirrorResult:
    """Let a bucket have what another one has, on the same server or on two.

    Objects stream through this process, several at a time, and appear in the target once
    they are verified. What is there already with the same digest and size is left alone, so
    that a mirror that broke off goes on where it was. Links within the source's bucket lead
    into the target's. `delete` removes what the source does not have; without it, nothing
    is ever removed. `dry_run` changes nothing; the target may be None then, for a bucket
    that is still to be made.

    An object that cannot be copied is told of in `failed`, and does not keep the others from
    being copied. What concerns a whole bucket is raised: a lost connection, a sealed or a
    full bucket, a missing permission.
    """
    if target is None and not dry_run:
        raise ValueError("mirror needs a target, unless it is a dry run")
    # Encrypted objects need no key to be copied.
    source, target = source.as_stored(), target and target.as_stored()
    infos = sorted(await source.list(), key=lambda info: info.name)
    there = {} if target is None else {info.name: info for info in await target.list()}
    work = _Mirror(source, target, there, progress, dry_run=dry_run)
    await work.copy(infos)
    if delete:
        here = {info.name for info in infos}
        await work.remove(sorted(name for name in there if name not in here))
    return work.report


class _Mirror:
    def __init__(
        self,
        source: ObjectStore,
        target: ObjectStore | None,
        there: dict[str, ObjectInfo],
        progress: Progress | None,
        *,
        dry_run: bool,
    ) -> None:
        self.report = MirrorResult()
        self._source = source
        self._target = None if dry_run else target
        self._bucket = source.bucket if target is None else target.bucket
        self._there = there
        self._progress = progress
        self._done = self._total = 0

    async def copy(self, infos: list[ObjectInfo]) -> None:
        """Bring everything that the target has not."""
        todo: list[ObjectInfo] = []
        for info in infos:
            if self._step(info) == "nothing":
                self.report.unchanged.append(info.name)
            else:
                todo.append(info)
        self._total = sum(map(self._weight, todo))
        # Links come last, so that nobody sees one whose object is still to come.
        todo.sort(key=lambda info: info.link is not None)
        async with aclosing(in_order(todo, self._bring, self._weight)) as outcomes:
            async for name, step in outcomes:
                if step == "describe":
                    self.report.updated.append(name)
                elif step != "nothing":
                    self.report.copied.append(name)

    async def remove(self, names: list[str]) -> None:
        """Delete what the source does not have: it is asked once more for each."""

        def nothing(_: str) -> int:
            return 0

        async with aclosing(in_order(names, self._remove, nothing)) as outcomes:
            async for name in outcomes:
                if name:
                    self.report.removed.append(name)

    def _step(self, info: ObjectInfo) -> Step:
        return self._wanted(info).step(self._there.get(info.name))

    def _wanted(self, info: ObjectInfo) -> Wanted:
        return Wanted.like(info).moved(self._source.bucket, self._bucket)

    def _weight(self, info: ObjectInfo) -> int:
        return info.size or 0 if self._step(info) == "copy" else 0

    async def _bring(self, info: ObjectInfo) -> tuple[str, Step]:
        """What was done for a name; what failed is told of, and nothing was done then."""
        try:
            return info.name, await self._settled(info)
        except ObjectNotFoundError:
            return info.name, "nothing"  # deleted since it was listed: that is nobody's failure
        except JetstowError as error:
            if isinstance(error, FATAL):
                raise
            self.report.failed.append(error)
            return info.name, "nothing"

    async def _settled(self, info: ObjectInfo) -> Step:
        """Bring an object as it is by then."""
        for _ in range(_TRIES):
            step = self._step(info)
            try:
                await self._take(info, step)
            except (ObjectChangedError, ObjectNotFoundError):
                # The source's own, or the target's, whose metadata we wanted to change.
                there = self._there.pop(info.name, None) if step == "describe" else None
                info = await self._source.get_info(info.name) if there is None else info
            else:
                return step
        bucket = self._source.bucket
        raise ObjectChangedError(
            f"object {info.name!r} in bucket {bucket!r} changed whenever it was copied",
            bucket=bucket,
            name=info.name,
        )

    async def _take(self, info: ObjectInfo, step: Step) -> None:
        wanted, target = self._wanted(info), self._target
        if target is None:
            self.report.size += wanted.size if step == "copy" else 0
        elif step == "describe":
            await wanted.describe(target)
        elif step == "link":
            await wanted.place_link(target, self._there.get(info.name))
        elif step == "copy":
            pieces = self._pieces(info)
            async with aclosing(pieces):
                await wanted.put(target, pieces)
            self.report.size += wanted.size

    async def _pieces(self, info: ObjectInfo) -> AsyncGenerator[bytes, None]:
        """The bytes of this very revision: else it raises at their end, before they are named."""
        count = 0
        try:
            async with aclosing(self._source.stream(info.name)) as pieces:
                async for piece in pieces:
                    count += len(piece)
                    self._tell(len(piece))
                    yield piece
            if (await self._source.get_info(info.name)).revision != info.revision:
                raise ObjectChangedError(
                    f"object {info.name!r} in bucket {info.bucket!r} changed while it was copied",
                    bucket=info.bucket,
                    name=info.name,
                )
        except ObjectChangedError:
            self._tell(-count)
            raise

    def _tell(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, max(self._total, self._done))

    async def _remove(self, name: str) -> str:
        """The name, if it is removed."""
        try:
            if await self._is_gone(name):
                if self._target is not None:
                    await self._target.delete(name)
                return name
        except ObjectNotFoundError:
            pass  # somebody was faster
        except JetstowError as error:
            # A listing passes over what cannot be read; that is no reason to lose the copy.
            if isinstance(error, FATAL):
                raise
            self.report.failed.append(error)
        return ""

    async def _is_gone(self, name: str) -> bool:
        try:
            await self._source.get_info(name)
        except ObjectNotFoundError:
            return True
        return False  # made since the source was listed


__all__ = ["mirror"]
