"""A bucket of objects: every verb of the object store (ADR-20)."""

from __future__ import annotations

from jetstow._core.read.reader import ObjectReader
from jetstow._core.read.watch import ObjectWatcher
from jetstow._core.write.writer import ObjectWriter
from jetstow.models import BucketStatus, ObjectResult
from jetstow.store.bucket import Buckets
from jetstow.store.files import Files
from jetstow.store.reading import Reads
from jetstow.store.writing import Writes
from jetstow.types import Progress


class ObjectStore(Writes, Reads, Files, Buckets):
    """One bucket. `JetStreamContext.object_store` and its neighbours make it.

    Every method can raise `ConnectionLostError`, `TimeoutError` (the server was silent for
    longer than the context's timeout), `PermissionDeniedError`, `JetStreamUnavailableError`
    and `BucketNotFoundError`; every change `BucketSealedError` and `BucketFullError`; and
    every name `InvalidObjectNameError`. Below stands what else each one raises.
    """


# nats-py nests these classes in the store, and its users' annotations name them there.
ObjectStore.ObjectResult = ObjectResult  # type: ignore[misc,assignment]
ObjectStore.ObjectStoreStatus = BucketStatus  # type: ignore[misc]
ObjectStore.ObjectWatcher = ObjectWatcher  # type: ignore[misc,assignment]

__all__ = ["ObjectReader", "ObjectStore", "ObjectWatcher", "ObjectWriter", "Progress"]
