"""jetstow without `await`: the same names, for scripts, notebooks and threads.

    import jetstow.sync as jetstow

    with jetstow.connect() as nc:
        store = nc.jetstream().create_object_store("configs")
        store.put("greeting", b"hello")
        print(store.get("greeting").data)

Every call waits for its end. Everything works from any thread, from within a running event
loop (as in notebooks), and in forked or spawned processes, which connect for themselves.
What a caller hands over runs in the calling thread: iterables, files, `progress`. What
`progress` raises cancels what is not done by then. Ctrl-C cancels a call; it has cleaned up
when KeyboardInterrupt arrives. The callbacks that `connect` takes may be plain functions, which
run in a thread of their own.

What can be awaited or iterated there is a list here (`list`, `find`, the names and states of
buckets), as it was when it was called; `stream` and `watch` are iterated as things come. A
file from `open` is a file of Python's, which other libraries read and write.
"""

from jetstow import (
    BucketConfig,
    BucketStatus,
    ObjectInfo,
    ObjectLink,
    ObjectMeta,
    ObjectMetaOptions,
    ObjectResult,
    Placement,
    StorageType,
    StoreCompression,
    __version__,
    errors,
)
from jetstow.sync.client import Client, connect, jetstream
from jetstow.sync.context import JetStreamContext
from jetstow.sync.moving import backup, mirror, restore
from jetstow.sync.reader import ObjectReader
from jetstow.sync.store import ObjectStore
from jetstow.sync.watcher import ObjectWatcher
from jetstow.sync.writer import ObjectWriter
from jetstow.types import Finding, GarbageResult, VerifyResult

__all__ = [
    "BucketConfig",
    "BucketStatus",
    "Client",
    "Finding",
    "GarbageResult",
    "JetStreamContext",
    "ObjectInfo",
    "ObjectLink",
    "ObjectMeta",
    "ObjectMetaOptions",
    "ObjectReader",
    "ObjectResult",
    "ObjectStore",
    "ObjectWatcher",
    "ObjectWriter",
    "Placement",
    "StorageType",
    "StoreCompression",
    "VerifyResult",
    "__version__",
    "backup",
    "connect",
    "errors",
    "jetstream",
    "mirror",
    "restore",
]
