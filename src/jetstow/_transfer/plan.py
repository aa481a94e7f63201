"""The steps of copying an object from a bucket or an archive into a bucket."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from jetstow._core.protocol.digest import digests_equal
from jetstow.client import JetStreamContext
from jetstow.errors import InvalidOptionError
from jetstow.models import (
    BucketConfig,
    BucketStatus,
    ObjectHeaders,
    ObjectInfo,
    ObjectLink,
    ObjectMeta,
    ObjectMetaOptions,
    StorageType,
)
from jetstow.store import ObjectStore

Step = Literal["skip", "update_meta", "link", "copy"]


@dataclass(frozen=True)
class ObjectSpec:
    """The desired state of an object or a link. `size` is in bytes; for a link it is 0."""

    name: str
    size: int = 0
    digest: str = ""
    chunk_size: int | None = None
    description: str | None = None
    headers: ObjectHeaders | None = None
    metadata: dict[str, str] | None = None
    link: ObjectLink | None = None

    @classmethod
    def from_info(cls, info: ObjectInfo) -> ObjectSpec:
        """Return the spec of an existing object."""
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

    def retarget_link(self, source_bucket: str, target_bucket: str) -> ObjectSpec:
        """Return the spec with a link to `source_bucket` changed to `target_bucket`."""
        if self.link is None or self.link.bucket != source_bucket:
            return self
        return replace(self, link=ObjectLink(bucket=target_bucket, name=self.link.name))

    def plan_step(self, existing: ObjectInfo | None) -> Step:
        """Return the step that turns an existing object (None: there is none) into this spec.

        A different chunk size alone requires no step: the target server may not allow the
        original's chunk size.
        """
        if self.link is not None:
            if existing is None or existing.link is None:
                return "link"
            if (existing.link.bucket, existing.link.name) != (self.link.bucket, self.link.name):
                return "link"
        elif (
            existing is None
            or existing.link is not None
            or (existing.size or 0) != self.size
            or not digests_equal(existing.digest or "", self.digest)
        ):
            return "copy"
        return "skip" if self._has_same_meta(existing) else "update_meta"

    def _has_same_meta(self, existing: ObjectInfo) -> bool:
        return (
            (existing.description or "") == (self.description or "")
            and (existing.headers or {}) == (self.headers or {})
            and (existing.metadata or {}) == (self.metadata or {})
        )

    def meta(self, *, with_chunk_size: bool = True) -> ObjectMeta:
        """Return the argument for `put` and `update_meta`."""
        chunk_size = self.chunk_size if with_chunk_size else None
        return ObjectMeta(
            name=self.name,
            description=self.description,
            headers=self.headers,
            metadata=self.metadata,
            options=ObjectMetaOptions(max_chunk_size=chunk_size) if chunk_size else None,
        )

    async def update_meta(self, store: ObjectStore) -> None:
        """Change the metadata of the existing object or link."""
        await store.update_meta(self.name, self.meta(with_chunk_size=False))

    async def put(self, store: ObjectStore, data: Any, **options: Any) -> ObjectInfo:
        """Put the object with its chunk size, or with the default if the server refuses that."""
        try:
            return await store.put(self.name, data, self.meta(), **options)
        except InvalidOptionError:
            if not self.chunk_size:
                raise
            # `put` checks its options before it reads any data, so the data is still complete.
            return await store.put(self.name, data, self.meta(with_chunk_size=False), **options)

    async def put_link(self, store: ObjectStore, existing: ObjectInfo | None) -> None:
        """Create the link, in place of the existing object. Its target need not exist."""
        assert self.link is not None, "the spec is not a link"
        if existing is not None and existing.link is None:
            await store.delete(self.name)
        if self.link.name:
            target = ObjectInfo(name=self.link.name, bucket=self.link.bucket, nuid="")
            await store.add_link(self.name, target)
        else:
            await store.add_bucket_link(self.name, self.link.bucket)
        if self.description or self.headers or self.metadata:
            await self.update_meta(store)


def config_from_status(status: BucketStatus, bucket: str) -> BucketConfig:
    """Return the configuration of an existing bucket, for a bucket of another name."""
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
        versioned=status.versioning == "enabled" or None,
    )


async def create_bucket(js: JetStreamContext, config: BucketConfig) -> ObjectStore:
    """Create a bucket with the configuration of another one.

    Raises: `InvalidOptionError` (this server does not support the configuration), and the other
    errors of `create_object_store`.
    """
    try:
        return await js.create_object_store(config.bucket, config)
    except InvalidOptionError as error:
        # A common case: the configuration has 3 replicas and this is a single server.
        message = f"{error}; create bucket {config.bucket!r} with options that this server supports"
        raise InvalidOptionError(message, bucket=config.bucket) from None


__all__ = [
    "ObjectSpec",
    "Step",
    "config_from_status",
    "create_bucket",
]
