"""What a copy of an object takes, wherever the original comes from: a bucket or an archive."""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeVar

from jetstow.client import JetStreamContext
from jetstow.errors import (
    BucketFullError,
    BucketNotFoundError,
    BucketSealedError,
    InvalidOptionError,
    PermissionDeniedError,
)
from jetstow.models import (
    BucketConfig,
    BucketStatus,
    ObjectInfo,
    ObjectLink,
    ObjectMeta,
    ObjectMetaOptions,
    StorageType,
)
from jetstow.store import ObjectStore

T = TypeVar("T")
R = TypeVar("R")

# What would fail with the next object as well: no reason to go through all of them.
FATAL: Final = (
    ConnectionError,
    TimeoutError,
    BucketNotFoundError,
    BucketSealedError,
    BucketFullError,
    PermissionDeniedError,
)

# How many objects are on their way at once, and how many bytes they may have together.
_MOST: Final = 16
_HEAVIEST: Final = 32 * 1024 * 1024

Step = Literal["nothing", "describe", "link", "copy"]


@dataclass(frozen=True)
class Wanted:
    """What is to stand under a name."""

    name: str
    size: int = 0
    digest: str = ""
    chunk_size: int | None = None
    description: str | None = None
    headers: dict[str, list[str]] | None = None
    metadata: dict[str, str] | None = None
    link: ObjectLink | None = None

    @classmethod
    def like(cls, info: ObjectInfo) -> Wanted:
        """The same as an object that there is."""
        return cls(
            name=info.name,
            size=info.size or 0,
            digest=info.digest or "",
            chunk_size=info.options.max_chunk_size if info.options else None,
            description=info.description,
            headers=info.headers,
            metadata=info.metadata,
            link=info.link,
        )

    def moved(self, old: str, new: str) -> Wanted:
        """The same in another bucket: a link within the bucket stays within it."""
        if self.link is None or self.link.bucket != old:
            return self
        return replace(self, link=ObjectLink(bucket=new, name=self.link.name))

    def step(self, there: ObjectInfo | None) -> Step:
        """What has to be done, if that is there now.

        The chunk size does not count: another server may not take the original's.
        """
        if self.link is not None:
            if there is None or there.link is None:
                return "link"
            if (there.link.bucket, there.link.name) != (self.link.bucket, self.link.name):
                return "link"
        elif (
            there is None
            or there.link is not None
            or (there.size or 0) != self.size
            or not self.digest
            or canonical(there.digest or "") != canonical(self.digest)
        ):
            return "copy"
        return "nothing" if self._is_described_as(there) else "describe"

    def _is_described_as(self, there: ObjectInfo) -> bool:
        return (
            (there.description or "") == (self.description or "")
            and (there.headers or {}) == (self.headers or {})
            and (there.metadata or {}) == (self.metadata or {})
        )

    def meta(self, *, cut: bool = True) -> ObjectMeta:
        """What `put` and `update_meta` take; `cut` asks for the original's chunk size."""
        sized = cut and self.chunk_size
        return ObjectMeta(
            name=self.name,
            description=self.description,
            headers=self.headers,
            metadata=self.metadata,
            options=ObjectMetaOptions(max_chunk_size=self.chunk_size) if sized else None,
        )

    async def describe(self, store: ObjectStore) -> None:
        """Change what is said about the bytes or the link that are there."""
        await store.update_meta(self.name, self.meta(cut=False))

    async def put(self, store: ObjectStore, data: Any, **options: Any) -> ObjectInfo:
        """Put the bytes, cut as the original, or as the server takes them."""
        try:
            return await store.put(self.name, data, self.meta(), **options)
        except InvalidOptionError:
            if not self.chunk_size:
                raise
            # Nothing of the data has been read yet: options come first.
            return await store.put(self.name, data, self.meta(cut=False), **options)

    async def place_link(self, store: ObjectStore, there: ObjectInfo | None) -> None:
        """Let the name be a link, instead of what is there. It may lead nowhere yet."""
        assert self.link is not None, "only a link can be placed as one"
        if there is not None and there.link is None:
            await store.delete(self.name)
        if self.link.name:
            target = ObjectInfo(name=self.link.name, bucket=self.link.bucket, nuid="")
            await store.add_link(self.name, target)
        else:
            await store.add_bucket_link(self.name, self.link.bucket)
        if self.description or self.headers or self.metadata:
            await self.describe(store)


def canonical(digest: str) -> str:
    """Clients write the same digest in several ways."""
    kind, _, value = digest.partition("=")
    return f"{kind.upper()}={value.rstrip('=').replace('+', '-').replace('/', '_')}"


def written(sha: bytes) -> str:
    """A SHA-256 as an object's metadata has it."""
    return "SHA-256=" + base64.urlsafe_b64encode(sha).decode("ascii")


def config_like(status: BucketStatus, bucket: str) -> BucketConfig:
    """A configuration that makes a bucket as one that there is."""
    return BucketConfig(
        bucket=bucket,
        description=status.description or None,
        ttl=status.ttl or None,
        max_bytes=status.max_bytes if status.max_bytes > 0 else None,
        storage=StorageType(status.storage_type or "file"),
        replicas=status.replicas or None,
        placement=status.placement,
        compression="s2" if status.compressed else None,
        metadata=status.metadata or None,
    )


async def make_bucket(js: JetStreamContext, config: BucketConfig) -> ObjectStore:
    """Make a bucket as one elsewhere. Raises `InvalidOptionError` where that cannot be."""
    try:
        return await js.create_object_store(config.bucket, config)
    except InvalidOptionError as error:
        # Mostly, one server does not do for as many replicas as a cluster.
        message = f"{error}; make bucket {config.bucket!r} as it can be here, first"
        raise InvalidOptionError(message, bucket=config.bucket) from None


async def in_order(
    items: Iterable[T] | AsyncGenerator[T, None],
    work: Callable[[T], Awaitable[R]],
    weight: Callable[[T], int],
) -> AsyncGenerator[R, None]:
    """What `work` makes of each item, a few at a time; what it raises ends the others."""
    ahead: deque[tuple[asyncio.Task[R], int]] = deque()
    held = 0

    async def next_result() -> R:
        nonlocal held
        task, heavy = ahead[0]
        result = await task
        ahead.popleft()
        held -= heavy
        return result

    async def run(item: T) -> R:
        return await work(item)

    try:
        async with aclosing(_each(items)) as each:
            async for item in each:
                heavy = weight(item)
                while ahead and (len(ahead) >= _MOST or held + heavy > _HEAVIEST):
                    yield await next_result()
                ahead.append((asyncio.create_task(run(item)), heavy))
                held += heavy
        while ahead:
            yield await next_result()
    finally:
        for task, _ in ahead:
            task.cancel()
        await asyncio.gather(*(task for task, _ in ahead), return_exceptions=True)


async def _each(items: Iterable[T] | AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    if isinstance(items, AsyncGenerator):
        async with aclosing(items):
            async for item in items:
                yield item
    else:
        for item in items:
            yield item


__all__ = [
    "FATAL",
    "Step",
    "Wanted",
    "canonical",
    "config_like",
    "in_order",
    "make_bucket",
    "written",
]
