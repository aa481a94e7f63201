"""jetstow without `await`: the same names, for scripts, notebooks and threads.

    import jetstow.sync as jetstow

    with jetstow.connect() as nc:
        store = nc.jetstream().create_object_store("configs")
        store.put("greeting", b"hello")
        print(store.get("greeting").data)

Every call blocks until it is done. All objects can be used from any thread, within a running event
loop (as in notebooks), and in forked or spawned processes, which open their own connections.

Iterables, files and `progress` callbacks run in the calling thread. An exception of `progress`
cancels the rest of the call. Ctrl-C cancels a call, which cleans up before it raises
KeyboardInterrupt. The callbacks of `connect` are functions, and run in a thread of their own.

`list`, `find`, `object_store_names` and `object_stores` return lists. `stream` and `watch` are
iterators. `open` returns a Python file, which other libraries can read and write.
"""

from jetstow import __version__
from jetstow._lazy import lazy_names

# Type checkers treat a variable of this name as true. The import of `typing` takes as long as all
# else that this module does.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from jetstow import (
        BucketConfig,
        BucketStatus,
        DeletedPage,
        FileInfo,
        IndexEntry,
        IndexPage,
        ObjectHeaders,
        ObjectInfo,
        ObjectLink,
        ObjectMeta,
        ObjectMetaOptions,
        ObjectResult,
        Placement,
        Retention,
        StorageType,
        StoreCompression,
        VersionCounts,
        VersionPage,
        errors,
        types,
    )
    from jetstow.sync._client import Client, connect, jetstream
    from jetstow.sync._generated import (
        JetStreamContext,
        ObjectStore,
        backup,
        download_folder,
        mirror,
        restore,
        upload_folder,
    )
    from jetstow.sync._index import BucketIndex
    from jetstow.sync._reader import ObjectReader
    from jetstow.sync._watcher import ObjectWatcher
    from jetstow.sync._writer import ObjectWriter
    from jetstow.types import (
        BackupResult,
        DeleteResult,
        Finding,
        GarbageResult,
        MirrorResult,
        RestoreResult,
        StoredChunks,
        SyncResult,
        VerifyResult,
    )
else:
    _NAMES = {
        "jetstow": [
            "BucketConfig", "BucketStatus", "DeletedPage", "FileInfo", "IndexEntry", "IndexPage",
            "ObjectHeaders", "ObjectInfo", "ObjectLink", "ObjectMeta", "ObjectMetaOptions",
            "ObjectResult", "Placement", "Retention", "StorageType", "StoreCompression",
            "VersionCounts", "VersionPage", "errors", "types",
        ],
        "jetstow.sync._client": ["Client", "connect", "jetstream"],
        "jetstow.sync._generated": [
            "JetStreamContext", "ObjectStore", "backup", "download_folder", "mirror", "restore",
            "upload_folder",
        ],
        "jetstow.sync._index": ["BucketIndex"],
        "jetstow.sync._reader": ["ObjectReader"],
        "jetstow.sync._watcher": ["ObjectWatcher"],
        "jetstow.sync._writer": ["ObjectWriter"],
        "jetstow.types": [
            "BackupResult", "DeleteResult", "Finding", "GarbageResult", "MirrorResult",
            "RestoreResult", "StoredChunks", "SyncResult", "VerifyResult",
        ],
    }  # fmt: skip
    __getattr__, __dir__ = lazy_names(globals(), _NAMES)

__all__ = [
    "BackupResult",
    "BucketConfig",
    "BucketIndex",
    "BucketStatus",
    "Client",
    "DeleteResult",
    "DeletedPage",
    "FileInfo",
    "Finding",
    "GarbageResult",
    "IndexEntry",
    "IndexPage",
    "JetStreamContext",
    "MirrorResult",
    "ObjectHeaders",
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
    "RestoreResult",
    "Retention",
    "StorageType",
    "StoreCompression",
    "StoredChunks",
    "SyncResult",
    "VerifyResult",
    "VersionCounts",
    "VersionPage",
    "__version__",
    "backup",
    "connect",
    "download_folder",
    "errors",
    "jetstream",
    "mirror",
    "restore",
    "types",
    "upload_folder",
]
