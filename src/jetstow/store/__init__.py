"""The object store: all verbs of a bucket (ADR-20)."""

from __future__ import annotations

from jetstow._core.read.bucket_index import BucketIndex
from jetstow._core.read.index_entry import IndexEntry
from jetstow._core.read.name_index import IndexPage, VersionCounts
from jetstow._core.read.reader import ObjectReader
from jetstow._core.read.version_index import DeletedPage, VersionPage
from jetstow._core.read.watch import ObjectWatcher
from jetstow._core.write.writer import ObjectWriter
from jetstow.models import BucketStatus, ObjectResult
from jetstow.store.bucket import Buckets
from jetstow.store.deleting import Deletes
from jetstow.store.files import Files
from jetstow.store.linking import Links
from jetstow.store.listing import Listings
from jetstow.store.reading import Reads
from jetstow.store.versions import Versions
from jetstow.store.writing import Writes


class ObjectStore(Writes, Deletes, Versions, Links, Reads, Files, Listings, Buckets):
    """The object store of one bucket (ADR-20). `JetStreamContext.object_store` opens it.

    Every method can raise `ConnectionLostError`, `TimeoutError` (the server sent nothing for
    longer than the context's timeout), `PermissionDeniedError`, `JetStreamUnavailableError` and
    `BucketNotFoundError`. A method that changes objects can also raise `BucketSealedError` and
    `BucketFullError`; one that takes a name, `InvalidObjectNameError`. Each method lists its
    other errors.
    """


# nats-py defines these classes in the store, so annotations of programs refer to them there.
ObjectStore.ObjectResult = ObjectResult  # type: ignore[misc,assignment]
ObjectStore.ObjectStoreStatus = BucketStatus  # type: ignore[misc]
ObjectStore.ObjectWatcher = ObjectWatcher  # type: ignore[misc,assignment]

__all__ = [
    "BucketIndex",
    "DeletedPage",
    "IndexEntry",
    "IndexPage",
    "ObjectReader",
    "ObjectStore",
    "ObjectWatcher",
    "ObjectWriter",
    "VersionCounts",
    "VersionPage",
]
